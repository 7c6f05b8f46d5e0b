# HF_SANITIZE is a list for -fsanitize=, empty for none. A finding ends the run.
set(HF_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
if(HF_SANITIZE)
  add_compile_options(-fsanitize=${HF_SANITIZE} -fno-sanitize-recover=all)
  add_compile_definitions(HF_SANITIZED)
  add_link_options(-fsanitize=${HF_SANITIZE} -fno-sanitize-recover=all)
endif()
