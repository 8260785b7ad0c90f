# Programs that tests/bench/run.sh calls: tests/bench/<name>.c becomes bench_<name>.
file(GLOB BENCH_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/*.c)
foreach(source ${BENCH_SOURCES})
	get_filename_component(name ${source} NAME_WE)
	add_executable(bench_${name} ${source})
	target_link_libraries(bench_${name} PRIVATE bkp_write bkp_read bkp_format bkp_base PkgConfig::SODIUM
		PkgConfig::ARCHIVE PkgConfig::CRYPTO PkgConfig::LZ4)
endforeach()
