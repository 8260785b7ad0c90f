# One program per module: tests/unit/test_<module>.c (cmocka).  Each links everything; what a module may include is
# checked by the libraries' own include paths.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
file(GLOB UNIT_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/test_*.c)
foreach(source ${UNIT_SOURCES})
	get_filename_component(name ${source} NAME_WE)
	add_executable(${name} ${source})
	target_link_libraries(${name} PRIVATE bkp_write bkp_read bkp_format bkp_base PkgConfig::CMOCKA PkgConfig::SODIUM
		PkgConfig::ARCHIVE PkgConfig::JANSSON PkgConfig::CRYPTO PkgConfig::LZ4 PkgConfig::ZSTD m)
	target_compile_definitions(${name} PRIVATE TEST_DATA="${CMAKE_SOURCE_DIR}/tests")
	if(name MATCHES "^test_plan$")
		target_link_libraries(${name} PRIVATE restore_plan)
	endif()
	if(name MATCHES "^test_(drill_scratch|attest|step_run|variables|drill)$")
		target_link_libraries(${name} PRIVATE restore_drill)
	endif()
	# modules of the command layer, which is no library
	if(name MATCHES "^test_(morning|metrics|notify|warden)$")
		string(REPLACE "test_" "" module ${name})
		target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/bkp/cmd/${module}.c)
		target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/bkp)
		target_compile_definitions(${name} PRIVATE BKP_VERSION="${PROJECT_VERSION}")
	endif()
	# tests build texts and name lists on the fly
	target_compile_options(${name} PRIVATE -Wno-format-nonliteral -Wno-write-strings)
	add_test(NAME ${name} COMMAND ${name})
endforeach()

# The libraries as a command, for scenario tests.
add_executable(agetool ${CMAKE_SOURCE_DIR}/tests/lib/agetool.c)
target_link_libraries(agetool PRIVATE bkp_format bkp_base PkgConfig::SODIUM)
