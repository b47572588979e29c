// Goal: a measured directory is the same directory, and each of its calls is told of once.
// Method: the suite of all directories; a list of the calls that were told of.
#include "io/measured_directory.h"

#include <gmock/gmock.h>

#include "suites/directory_suite.h"

namespace berth::io {
namespace {

class MeasuredFixture {
  public:
    Directory& directory() { return *directory_; }

  private:
    std::unique_ptr<Directory> directory_ =
        measure(make_memory_directory(), [](std::string_view, std::chrono::nanoseconds) {});
};

INSTANTIATE_TYPED_TEST_SUITE_P(Measured, DirectorySuite, MeasuredFixture);

TEST(MeasuredDirectory, TellsOfEachCall) {
    std::vector<std::string> calls;
    const auto directory = measure(
        make_memory_directory(), [&calls](std::string_view action, std::chrono::nanoseconds took) {
            EXPECT_GE(took.count(), 0);
            calls.emplace_back(action);
        });
    const auto told = [&calls] { return std::exchange(calls, {}); };
    using testing::ElementsAre;

    ASSERT_TRUE(directory->make_directories("a"));
    EXPECT_THAT(told(), ElementsAre("Writer"));
    auto file = directory->create("a/file").value();
    EXPECT_THAT(told(), ElementsAre("Writer"));
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string_view("hello"))));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory->sync_directory("a"));
    EXPECT_THAT(told(), ElementsAre("PutContent", "Sync", "Sync"));
    ASSERT_TRUE(directory->rename("a/file", "a/other"));
    ASSERT_TRUE(directory->list("a"));
    EXPECT_THAT(told(), ElementsAre("Move", "List"));
    EXPECT_EQ(read_file(*directory, "a/other", 100).value(), "hello");
    EXPECT_THAT(told(), testing::Contains("GetContent"));
    EXPECT_FALSE(directory->open("none"));
    EXPECT_THAT(told(), ElementsAre("Reader")) << "also what fails";
    ASSERT_TRUE(directory->remove("a/other"));
    ASSERT_TRUE(directory->space());
    EXPECT_THAT(told(), ElementsAre("Delete", "Stat"));
}

TEST(MeasuredDirectory, ItsFilesOutliveIt) {
    int calls = 0;
    auto directory = measure(make_memory_directory(),
                             [&calls](std::string_view, std::chrono::nanoseconds) { ++calls; });
    const auto file = directory->create("file").value();
    directory = nullptr;
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string_view("hello"))));
    EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace berth::io
