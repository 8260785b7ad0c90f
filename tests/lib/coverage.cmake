# Each program says at its end what ran: also one that ends by _exit() or by a signal to itself, and one that has confined itself.
add_compile_options(--coverage -fprofile-update=atomic -O0)
add_library(coverage_end OBJECT ${CMAKE_SOURCE_DIR}/tests/lib/coverage_end.c)
target_compile_options(coverage_end PRIVATE -fno-profile-arcs -fno-test-coverage)
add_link_options(--coverage)
link_libraries($<TARGET_OBJECTS:coverage_end> -Wl,--wrap=_exit -Wl,--wrap=raise -Wl,--wrap=syscall)
