# every allocation goes through the test
target_link_options(${test} PRIVATE
  -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
