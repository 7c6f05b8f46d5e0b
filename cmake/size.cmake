# `size`: text and data of every library, own and external, and of the
# programs. Meaningful in the release and aarch64 builds.
function(hf_size_report)
  set(files)
  get_property(targets GLOBAL PROPERTY HF_CORE_TARGETS)
  foreach(target IN LISTS targets ITEMS hf_port_linux holdfastd holdfast)
    if(TARGET ${target})
      list(APPEND files $<TARGET_FILE:${target}>)
      list(APPEND depends ${target})
    endif()
  endforeach()
  foreach(library IN LISTS HF_DEPENDENCIES)
    list(APPEND files $<TARGET_PROPERTY:hf_ext_${library},IMPORTED_LOCATION>)
  endforeach()
  add_custom_target(size
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/size.sh ${files}
    DEPENDS ${depends}
    COMMAND_EXPAND_LISTS VERBATIM)
endfunction()
