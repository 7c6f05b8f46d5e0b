# The Debian package, by CPack: `package` target of a release build (./dev package).
# What the service is stands in firmware/port/linux/service/, what Debian wants of a
# package in cmake/package/. The files are those of `cmake --install`, under /usr, and
# the component `service`, which that leaves out.
set(HF_SERVICE_DIR ${CMAKE_SOURCE_DIR}/firmware/port/linux/service)
set(HF_PACKAGE_DIR ${CMAKE_SOURCE_DIR}/cmake/package)

function(hf_install_service file folder name)
  install(FILES ${file} DESTINATION ${folder} RENAME ${name} COMPONENT service EXCLUDE_FROM_ALL)
endfunction()
hf_install_service(${HF_SERVICE_DIR}/holdfast.service lib/systemd/system holdfast.service)
hf_install_service(${HF_SERVICE_DIR}/holdfast.sysusers lib/sysusers.d holdfast.conf)
hf_install_service(${HF_SERVICE_DIR}/holdfast.tmpfiles lib/tmpfiles.d holdfast.conf)
hf_install_service(${HF_SERVICE_DIR}/holdfast.conf /etc/holdfast holdfast.conf)
hf_install_service(${HF_SERVICE_DIR}/kiosk.worker.json share/doc/holdfast/examples kiosk.worker.json)
hf_install_service(${HF_PACKAGE_DIR}/README.Debian share/doc/holdfast README.Debian)
hf_install_service(${HF_PACKAGE_DIR}/changelog share/doc/holdfast changelog)
hf_install_service(${HF_PACKAGE_DIR}/lintian-overrides share/lintian/overrides holdfast)
hf_install_service(${CMAKE_BINARY_DIR}/package/copyright share/doc/holdfast copyright)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(HF_DEBIAN_ARCH arm64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
  set(HF_DEBIAN_ARCH armhf)
else()
  set(HF_DEBIAN_ARCH amd64)
endif()
add_custom_target(package_texts
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/package
  COMMAND ${HF_PACKAGE_DIR}/copyright.sh ${HF_DEPENDENCIES} musl-${HF_DEBIAN_ARCH}
    > ${CMAKE_BINARY_DIR}/package/copyright
  VERBATIM)

file(STRINGS ${CMAKE_SOURCE_DIR}/firmware/include/holdfast/agent.h version REGEX "HOLDFAST_VERSION")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" version "${version}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME holdfast)
set(CPACK_PACKAGE_VERSION ${version})
set(CPACK_PACKAGE_CONTACT "Holdfast maintainers <maintainers@holdfast.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "queue and cache between a panel's pages and their origins")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Holdfast stands between the web page of a kiosk or panel, or any local
program, and its origin servers. When the origin cannot be reached, the page
comes out of a cache, and a request is written to disk, acknowledged, sent
when the origin is back, in order, under one idempotency key, and the page
gets the origin's own answer, even after a power cut and a reboot.
.
This package has the daemon, its service and the operator's command.")
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${HF_DEBIAN_ARCH})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${HF_PACKAGE_DIR}/conffiles ${HF_PACKAGE_DIR}/postinst
  ${HF_PACKAGE_DIR}/prerm ${HF_PACKAGE_DIR}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${CMAKE_BINARY_DIR};holdfast;ALL;/;${CMAKE_BINARY_DIR};holdfast;service;/")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PRE_BUILD_SCRIPTS ${HF_PACKAGE_DIR}/stage.cmake)
set(CPACK_STRIP_FILES FALSE)
set(CPACK_HF_STRIP ${CMAKE_STRIP})
include(CPack)
