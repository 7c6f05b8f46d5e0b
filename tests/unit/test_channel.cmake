# The test stands in for the TLS session.
foreach(function create destroy handshake read write close_notify error)
  target_link_options(${test} PRIVATE "LINKER:--wrap=hf_tls_session_${function}")
endforeach()
