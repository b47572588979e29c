// Report: what became of each directive, in the order in which they stand in the files.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrate/directive.h"

namespace berth::migrate {

enum class Fate { carried, needless, lost };

struct ReportLine {
    std::string place;      // site.conf:12
    std::string directive;  // as it stands there, secrets hidden
    Fate fate{};
    std::string text;  // what it became; why it is not needed; why it cannot be had, and what to do
};

// As people read it: place, directive, what became of it, and how many of each.
std::string format_report(const std::vector<ReportLine>& report);
std::string_view name_of(Fate fate);

class Report {
  public:
    void carried(const Directive& what, std::string text) {
        add(what, Fate::carried, std::move(text));
    }
    void needless(const Directive& what, std::string text) {
        add(what, Fate::needless, std::move(text));
    }
    void lost(const Directive& what, std::string text) { add(what, Fate::lost, std::move(text)); }
    void add(const Directive& what, Fate fate, std::string text) {
        known_.insert(what.order);
        add(what.order, {what.place, what.line(), fate, std::move(text)});
    }
    // The same line is added once.
    void add(std::size_t order, ReportLine line);

    // Something was said of it.
    bool has(const Directive& what) const { return known_.contains(what.order); }

    std::vector<ReportLine> take();

  private:
    std::set<std::size_t> known_;  // orders of directives
    std::multimap<std::size_t, ReportLine> lines_;
};

}  // namespace berth::migrate
