# berth_fuzzer(NAME name SRCS fuzz/name_fuzz.cc ... LIBS berth_x ...): the program <name>_fuzz, whose seeds lie in
# fuzz/corpus/<name>/ (one file at least).
#
# Without BERTH_FUZZ it replays its corpus, in the test fuzz_<name>. With BERTH_FUZZ it is a libFuzzer program, run
# by scripts/fuzz; the layers are instrumented then by the top CMakeLists.txt.
add_custom_target(fuzzers)

function(berth_fuzzer)
    cmake_parse_arguments(ARG "" "NAME" "SRCS;LIBS" ${ARGN})
    set(target ${ARG_NAME}_fuzz)
    add_executable(${target} ${ARG_SRCS})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${target} PRIVATE ${ARG_LIBS} berth_warnings)
    add_dependencies(fuzzers ${target})
    if(BERTH_FUZZ)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(${target} PRIVATE fuzz/replay_main.cc)
    add_test(NAME fuzz_${ARG_NAME} COMMAND ${target} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${ARG_NAME})
    set_tests_properties(fuzz_${ARG_NAME} PROPERTIES LABELS fast TIMEOUT 300)
endfunction()

berth_fuzzer(NAME apache SRCS fuzz/apache_fuzz.cc LIBS berth_cli)
berth_fuzzer(NAME audit SRCS fuzz/audit_fuzz.cc LIBS berth_auth)
berth_fuzzer(NAME config SRCS fuzz/config_fuzz.cc LIBS berth_app)
berth_fuzzer(NAME digests SRCS fuzz/digests_fuzz.cc LIBS berth_oci)
berth_fuzzer(NAME encodings SRCS fuzz/encodings_fuzz.cc LIBS berth_base)
berth_fuzzer(NAME htpasswd SRCS fuzz/htpasswd_fuzz.cc LIBS berth_auth)
berth_fuzzer(NAME ldap SRCS fuzz/ldap_fuzz.cc LIBS berth_auth)
berth_fuzzer(NAME jwt SRCS fuzz/jwt_fuzz.cc LIBS berth_auth)
berth_fuzzer(NAME manifests SRCS fuzz/manifests_fuzz.cc LIBS berth_oci)
berth_fuzzer(NAME names SRCS fuzz/names_fuzz.cc LIBS berth_oci)
berth_fuzzer(NAME http SRCS fuzz/http_fuzz.cc LIBS berth_http)
berth_fuzzer(NAME policy SRCS fuzz/policy_fuzz.cc LIBS berth_auth)
berth_fuzzer(NAME ranges SRCS fuzz/ranges_fuzz.cc LIBS berth_http)
