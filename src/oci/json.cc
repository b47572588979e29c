#include "oci/json.h"

#include <string>
#include <utility>
#include <vector>

namespace berth::oci {
namespace {

// nlohmann's own reader takes the last of duplicate keys, nests without a bound and turns integers
// that do not fit into floating point numbers.
class Builder final : public nlohmann::json_sax<Json> {
  public:
    explicit Builder(std::size_t depth_max) : depth_max_(depth_max) {}

    Json& root() { return root_; }
    const std::string& problem() const { return problem_; }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t& text) override {
        if (text.find_first_of(".eE") == std::string::npos)
            return refuse("an integer does not fit into 64 bits");
        return add(value);
    }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        const auto [place, is_new] =
            open_.back()->get_ref<Json::object_t&>().emplace(std::move(name), nullptr);
        if (!is_new) return refuse("a key stands twice in one object");
        member_ = &place->second;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
        constexpr int kNumberOverflow = 406;
        if (error.id == kNumberOverflow) return refuse("a number is too large");
        const bool utf8 = std::string_view(error.what()).contains("ill-formed UTF-8");
        return refuse((utf8 ? "not UTF-8 at byte " : "not JSON at byte ") +
                      std::to_string(position));
    }

  private:
    bool refuse(std::string problem) {
        problem_ = std::move(problem);
        return false;
    }

    // Puts the value in its place; pointers into open containers stay valid, for only the innermost
    // one grows.
    Json& place(Json value) {
        if (open_.empty()) return root_ = std::move(value);
        if (open_.back()->is_array()) {
            auto& array = open_.back()->get_ref<Json::array_t&>();
            return array.emplace_back(std::move(value));
        }
        return *member_ = std::move(value);
    }
    bool add(Json value) {
        place(std::move(value));
        return true;
    }
    bool open(Json container) {
        if (open_.size() == depth_max_) {
            return refuse("nested deeper than " + std::to_string(depth_max_) + " levels");
        }
        open_.push_back(&place(std::move(container)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    const std::size_t depth_max_;
    Json root_;
    std::vector<Json*> open_;
    Json* member_ = nullptr;  // the value of the last key
    std::string problem_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t depth_max) {
    // The library skips a mark and takes NUL for the end.
    if (text.starts_with("\xef\xbb\xbf"))
        return fail(Errc::invalid, "not JSON at byte 1: it begins with a byte order mark");
    if (const auto nul = text.find('\0'); nul != std::string_view::npos)
        return fail(Errc::invalid, "not JSON at byte " + std::to_string(nul + 1));
    Builder builder(depth_max);
    if (!Json::sax_parse(text, &builder)) return fail(Errc::invalid, builder.problem());
    return std::move(builder.root());
}

}  // namespace berth::oci
