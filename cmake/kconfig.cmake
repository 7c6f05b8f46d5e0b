# Kconfig: options become CONFIG_* macros in generated/holdfast_config.h, which
# is included before every source file of ours.
#
#   -DBOARD=native/host_linux      a folder under boards/
#   -DEXTRA_CONF_FILE="a.conf;b"   fragments on top, the last one wins
#   -DHF_ANY_PROCESSOR=ON          whatever processor the board has: to see that it compiles
#   <build folder>/.config         what menuconfig wrote, if it was used
#
# Targets: menuconfig, savedefconfig (writes <build folder>/defconfig),
# olddefconfig (brings .config up to date with changed options).
set(BOARD native/host_linux CACHE STRING "A folder under boards/")
set(EXTRA_CONF_FILE "" CACHE STRING "Kconfig fragments, merged last")

set(HF_BOARD_DIR ${CMAKE_SOURCE_DIR}/boards/${BOARD})
if(NOT EXISTS ${HF_BOARD_DIR}/Kconfig.board)
  file(GLOB boards RELATIVE ${CMAKE_SOURCE_DIR}/boards ${CMAKE_SOURCE_DIR}/boards/*/*/Kconfig.board)
  list(TRANSFORM boards REPLACE "/Kconfig.board$" "")
  list(JOIN boards ", " boards)
  message(FATAL_ERROR "BOARD=${BOARD}: no boards/${BOARD}/Kconfig.board; the boards are: ${boards}")
endif()
include(${HF_BOARD_DIR}/board.cmake)
if(NOT EXISTS ${CMAKE_SOURCE_DIR}/firmware/${HF_BOARD_PORT}/CMakeLists.txt
   AND NOT EXISTS ${CMAKE_SOURCE_DIR}/${HF_BOARD_PORT}/CMakeLists.txt)
  message(FATAL_ERROR "boards/${BOARD}/board.cmake: HF_BOARD_PORT=${HF_BOARD_PORT} is no folder of a port")
endif()
if(HF_BOARD_PROCESSORS AND NOT HF_ANY_PROCESSOR
   AND NOT CMAKE_SYSTEM_PROCESSOR IN_LIST HF_BOARD_PROCESSORS)
  message(FATAL_ERROR "BOARD=${BOARD} is ${HF_BOARD_PROCESSORS}, and this build is for "
    "${CMAKE_SYSTEM_PROCESSOR}: take the preset that its board.yml names")
endif()

get_filename_component(board_name ${BOARD} NAME)
set(HF_KCONFIG_USER ${CMAKE_BINARY_DIR}/.config)
set(HF_CONFIG_HEADER ${CMAKE_BINARY_DIR}/generated/holdfast_config.h)
set(fragments ${HF_BOARD_DIR}/${board_name}_defconfig)
set(extras)
foreach(extra IN LISTS EXTRA_CONF_FILE)
  get_filename_component(extra ${extra} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
  if(NOT EXISTS ${extra})
    message(FATAL_ERROR "EXTRA_CONF_FILE: there is no ${extra}")
  endif()
  list(APPEND extras ${extra})
endforeach()
file(GLOB user CONFIGURE_DEPENDS ${HF_KCONFIG_USER})

set(HF_KCONFIG ${CMAKE_COMMAND} -E env
  BOARD=${BOARD} srctree=${CMAKE_SOURCE_DIR} /usr/bin/python3 ${CMAKE_SOURCE_DIR}/cmake/kconfig/bridge.py)

set(arguments)
foreach(fragment IN LISTS fragments user extras)
  list(APPEND arguments --fragment ${fragment})
endforeach()
execute_process(
  COMMAND ${HF_KCONFIG} configure ${arguments}
    --header ${HF_CONFIG_HEADER}
    --dotconfig ${CMAKE_BINARY_DIR}/generated/dotconfig
    --deps ${CMAKE_BINARY_DIR}/generated/kconfig_files
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "The configuration has a fault; the line above says where. "
    "If it lies in ${HF_KCONFIG_USER}, mend that file or run ./dev olddefconfig.")
endif()

file(STRINGS ${CMAKE_BINARY_DIR}/generated/kconfig_files kconfig_files)
list(TRANSFORM kconfig_files PREPEND ${CMAKE_SOURCE_DIR}/ REGEX "^[^/]")
file(GLOB folder_kconfigs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/firmware/*/Kconfig)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${kconfig_files} ${fragments} ${user} ${extras} ${CMAKE_SOURCE_DIR}/cmake/kconfig/bridge.py)

add_custom_target(menuconfig
  COMMAND ${HF_KCONFIG} menuconfig --fragment ${fragments} --user ${HF_KCONFIG_USER}
  COMMAND ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL VERBATIM)
add_custom_target(savedefconfig
  COMMAND ${HF_KCONFIG} savedefconfig --fragment ${fragments} --user ${HF_KCONFIG_USER}
    --out ${CMAKE_BINARY_DIR}/defconfig
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL VERBATIM)
add_custom_target(olddefconfig
  COMMAND ${HF_KCONFIG} olddefconfig --fragment ${fragments} --user ${HF_KCONFIG_USER}
  COMMAND ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL VERBATIM)
