# bkp-restore, and the same as a static program that is carried on every medium.  What it may include ends at bkp_read:
# bkp/write is not on its include path.
add_executable(bkp-restore restore/main.c ${STARVED})
target_link_libraries(bkp-restore PRIVATE bkp_restore)
target_link_options(bkp-restore PRIVATE -Wl,--as-needed) # of bkp_format it has no use for zlib
target_compile_options(bkp-restore PRIVATE -include ${CMAKE_SOURCE_DIR}/bkp/base/banned.h)
target_include_directories(bkp-restore PRIVATE ${GEN})
install(TARGETS bkp-restore RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# What every medium carries in its own folder tools/ (bkp/write/media/medium_docs.h): bkp copies it from beside itself, or from
# where it is installed.
set(TOOLS ${CMAKE_BINARY_DIR}/tools)
set(TOOLS_INSTALLED ${CMAKE_INSTALL_LIBDIR}/bkp/tools)
add_custom_command(OUTPUT ${TOOLS}/rescue.py ${TOOLS}/FORMAT.md
	COMMAND ${CMAKE_COMMAND} -E make_directory ${TOOLS}
	COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/restore/rescue.py ${TOOLS}/rescue.py
	COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/docs/format.md ${TOOLS}/FORMAT.md
	DEPENDS restore/rescue.py docs/format.md VERBATIM)
set(TOOLS_FILES ${TOOLS}/rescue.py ${TOOLS}/FORMAT.md)
install(PROGRAMS ${TOOLS}/rescue.py DESTINATION ${TOOLS_INSTALLED})
install(FILES ${TOOLS}/FORMAT.md DESTINATION ${TOOLS_INSTALLED})

# What 'bkp rescue-image' needs: likewise beside it, or where it is installed (bkp/cmd/app/tools_folder.h)
file(GLOB rescue CONFIGURE_DEPENDS restore/rescue/*)
list(FILTER rescue EXCLUDE REGEX "README\\.md$")
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/restore/rescue ${CMAKE_BINARY_DIR}/rescue SYMBOLIC)
install(PROGRAMS ${rescue} DESTINATION ${CMAKE_INSTALL_LIBDIR}/bkp/rescue)

if(BKP_STATIC_RESTORE)
	# Only archives (.a), so that the program runs on whatever rescue system there is.  libarchive.a is large: only what
	# is called is taken out of it (tar, write to disk), the formats and filters that are not registered stay behind.
	set(STATIC_LIBS)
	foreach(name archive sodium crypto lz4 zstd jansson yaml cmark qrcodegen z)
		find_library(STATIC_${name} lib${name}.a REQUIRED)
		list(APPEND STATIC_LIBS ${STATIC_${name}})
	endforeach()
	add_executable(bkp-restore-static restore/main.c ${STARVED} restore/app/static_stubs.c)
	target_include_directories(bkp-restore-static PRIVATE $<TARGET_PROPERTY:bkp_restore,INTERFACE_INCLUDE_DIRECTORIES>)
	target_compile_options(bkp-restore-static PRIVATE -include ${CMAKE_SOURCE_DIR}/bkp/base/banned.h)
	target_compile_definitions(bkp-restore-static PRIVATE BKP_STATIC_PROGRAM)
	target_include_directories(bkp-restore-static PRIVATE ${GEN})
	target_link_libraries(bkp-restore-static PRIVATE $<TARGET_FILE:bkp_restore> $<TARGET_FILE:bkp_read>
		$<TARGET_FILE:bkp_format> $<TARGET_FILE:bkp_base> ${STATIC_LIBS})
	add_dependencies(bkp-restore-static bkp_restore bkp_read bkp_format bkp_base)
	set(wrapped)
	foreach(name getaddrinfo freeaddrinfo gai_strerror gethostbyname getnameinfo dlopen dlsym dlclose dlerror dladdr)
		list(APPEND wrapped -Wl,--wrap=${name})
	endforeach()
	if(STARVED)
		list(APPEND wrapped -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
	endif()
	# the map is for the test that looks for what must not be in it
	target_link_options(bkp-restore-static PRIVATE -static-pie -Wl,--gc-sections -Wl,-Map=${CMAKE_BINARY_DIR}/bkp-restore-static.map
		${wrapped} -s)
	# unset, not OFF: either way the linker would get a -pie or -no-pie of its own, and ask for a dynamic loader
	set_property(TARGET bkp-restore-static PROPERTY POSITION_INDEPENDENT_CODE)
	target_compile_options(bkp-restore-static PRIVATE -fPIE)
	add_custom_command(OUTPUT ${TOOLS}/bkp-restore
		COMMAND ${CMAKE_COMMAND} -E make_directory ${TOOLS}
		COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:bkp-restore-static> ${TOOLS}/bkp-restore
		DEPENDS bkp-restore-static VERBATIM)
	list(APPEND TOOLS_FILES ${TOOLS}/bkp-restore)
	install(PROGRAMS ${TOOLS}/bkp-restore DESTINATION ${TOOLS_INSTALLED})
endif()
add_custom_target(tools ALL DEPENDS ${TOOLS_FILES})
# bkp knows the tools it was built with and brings no others (bkp/write/media/medium_docs.h)
file(MAKE_DIRECTORY ${GEN}/cmd)
add_custom_command(OUTPUT ${GEN}/cmd/tools_sums.h
	COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/bkp/po/tools_sums.py ${GEN}/cmd/tools_sums.h ${TOOLS_FILES}
	DEPENDS ${TOOLS_FILES} bkp/po/tools_sums.py VERBATIM)
target_sources(bkp_cmd PRIVATE ${GEN}/cmd/tools_sums.h)
