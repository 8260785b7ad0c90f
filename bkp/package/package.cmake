# A Debian package of what is installed: `cpack --config build/release/CPackConfig.cmake` (tests/scenario/09-package.sh installs it
# in a bare system).  It starts nothing: when `bkp run` runs is written by `bkp schedule install`, from the policy.
include(GNUInstallDirs)
install(FILES bkp/package/bkp.bash RENAME bkp DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES bkp/package/bkp.bash RENAME bkp-restore DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES bkp/package/bkp-run.service bkp/package/bkp-run.timer DESTINATION lib/systemd/system)
install(DIRECTORY DESTINATION /etc/bkp) # policy.yaml comes here; ready-made ones are in share/bkp/policies
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
# the operator's commands in Japanese; man(1) takes them where the locale is Japanese
foreach(section 1 8)
	file(GLOB pages CONFIGURE_DEPENDS docs/man/ja/*.${section})
	install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/ja/man${section})
endforeach()
install(FILES README.md docs/CHANGELOG.md docs/tutorial.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bkp)
set(CPACK_PACKAGE_VERSION ${BKP_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "offline backups of clinical data that can be proved before they are needed")
set(CPACK_PACKAGE_CONTACT "the operator of this site <root@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "age, minisign, lz4, zstd, fdisk, fuse3")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "xorriso") # bkp disc write
include(CPack)
