berth_test(NAME oci_test
    SRCS unit/oci/digest_test.cc unit/oci/hasher_test.cc unit/oci/json_fields_test.cc unit/oci/json_test.cc
        unit/oci/manifest_test.cc unit/oci/media_type_test.cc unit/oci/names_test.cc
    LIBS berth_oci nlohmann_json::nlohmann_json)
