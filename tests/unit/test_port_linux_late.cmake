target_link_libraries(${test} PRIVATE hf_port_linux)
target_include_directories(${test} PRIVATE ${CMAKE_BINARY_DIR}/include/port/linux)
