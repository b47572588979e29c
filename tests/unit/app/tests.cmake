berth_test(NAME config_test
    SRCS unit/app/config_auth_test.cc unit/app/config_files_test.cc unit/app/config_keys_test.cc
        unit/app/config_outputs_test.cc unit/app/config_read_test.cc unit/app/config_services_test.cc
        unit/app/config_value_test.cc unit/app/config_wrong_test.cc unit/app/effective_test.cc
        unit/app/env_override_test.cc unit/app/yaml_node_test.cc
    LIBS berth_app)
target_compile_definitions(config_test PRIVATE BERTH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
berth_test(NAME service_manager_test
    SRCS unit/app/service_manager_test.cc
    LIBS berth_app)
berth_test(NAME debug_vars_test
    SRCS unit/app/debug_vars_test.cc
    LIBS berth_app nlohmann_json::nlohmann_json)
