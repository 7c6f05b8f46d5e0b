target_sources(${test} PRIVATE ${CMAKE_SOURCE_DIR}/host-sim/fleet.c ${CMAKE_SOURCE_DIR}/host-sim/guest.c)
target_link_libraries(${test} PRIVATE hf_sim)
