target_sources(${test} PRIVATE ${CMAKE_SOURCE_DIR}/host-sim/guest.c)
target_link_libraries(${test} PRIVATE hf_sim)
target_link_options(${test} PRIVATE -Wl,--wrap=hf_pace_spend)
