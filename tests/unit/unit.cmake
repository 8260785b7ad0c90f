# One program per module: tests/unit/<where it lies>/test_<module>.c (cmocka).  Each links everything; what a module may include is
# checked by the libraries' own include paths.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
file(GLOB_RECURSE UNIT_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/test_*.c)
foreach(source ${UNIT_SOURCES})
	get_filename_component(name ${source} NAME_WE)
	add_executable(${name} ${source})
	target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/tests/unit)
	target_link_libraries(${name} PRIVATE bkp_cmd bkp_restore bkp_write bkp_read bkp_format bkp_base PkgConfig::CMOCKA
		PkgConfig::SODIUM PkgConfig::ARCHIVE PkgConfig::JANSSON PkgConfig::CRYPTO PkgConfig::LZ4 PkgConfig::ZSTD m)
	target_compile_definitions(${name} PRIVATE TEST_DATA="${CMAKE_SOURCE_DIR}/tests")
	target_include_directories(${name} PRIVATE ${GEN})
	# tests build texts and name lists on the fly
	target_compile_options(${name} PRIVATE -Wno-format-nonliteral -Wno-write-strings)
	add_test(NAME ${name} COMMAND ${name})
endforeach()
target_link_options(test_config_memory PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup)

# The libraries as a command, for scenario tests.
add_executable(agetool ${CMAKE_SOURCE_DIR}/tests/lib/agetool.c)
target_link_libraries(agetool PRIVATE bkp_format bkp_base PkgConfig::SODIUM)
