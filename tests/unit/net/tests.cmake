berth_test(NAME net_test
    SRCS unit/net/address_test.cc unit/net/authority.cc unit/net/client_certificate_test.cc unit/net/dial_test.cc
        unit/net/listener_test.cc unit/net/loop_test.cc unit/net/net_support.cc
        unit/net/peer_certificate_test.cc unit/net/pieces_test.cc unit/net/send_file_test.cc
        unit/net/stream_test.cc unit/net/tls_source_test.cc unit/net/tls_test.cc
    LIBS berth_net)
