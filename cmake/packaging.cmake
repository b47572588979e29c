# What is installed, and the .deb made of it (scripts/package). The manual and the completion are made by the program
# itself: packaging/generate writes them to GENERATED, in the folders they are installed in.
set(GENERATED ${PROJECT_BINARY_DIR}/package)

install(TARGETS berth DESTINATION usr/bin)
install(DIRECTORY ${GENERATED}/ DESTINATION .)
install(DIRECTORY DESTINATION etc/berth)
install(FILES packaging/debian/config.yml DESTINATION etc/berth)
install(FILES packaging/systemd/berth.service packaging/systemd/berth.socket DESTINATION lib/systemd/system)
install(FILES packaging/debian/copyright DESTINATION usr/share/doc/berth)
install(DIRECTORY docs/ DESTINATION usr/share/doc/berth FILES_MATCHING PATTERN *.md PATTERN design EXCLUDE
    PATTERN images EXCLUDE)
install(DIRECTORY examples packaging/systemd/examples DESTINATION usr/share/doc/berth)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME berth)
set(CPACK_PACKAGE_CONTACT "The authors of Berth <berth@berth.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "registry for container images")
set(CPACK_PACKAGE_DESCRIPTION
    "A private registry for container images, in one program. It speaks the OCI
distribution-spec to docker, podman, skopeo, crane, helm and cosign; it does
TLS, passwords, LDAP, tokens and the rules of who may do what by itself; and
it takes over a registry:2 host where it stands.")
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Times and orders that differ from one packing to the next are settled here.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/settle.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/packaging/debian/postinst ${PROJECT_SOURCE_DIR}/packaging/debian/prerm
    ${PROJECT_SOURCE_DIR}/packaging/debian/postrm ${PROJECT_SOURCE_DIR}/packaging/debian/conffiles)
include(CPack)
