#include "tessera/cli/help.h"

#include <fmt/format.h>

#include "tessera/cli/text.h"

namespace tessera::cli {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kOptionColumn = 28;
constexpr size_t kCommandColumn = 12;

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kOptionColumn);
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return Wrap(app->get_description(), kWidth) + "\n\n";
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  const std::string about = command->get_description();
  const std::string first = about.substr(0, about.find_first_of(".:;"));
  return fmt::format("  {:<{}}{}\n", command->get_name(), kCommandColumn - 2,
                     Wrap(first, kWidth - kCommandColumn, kCommandColumn));
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  return Wrap(option->get_description(), kWidth - kOptionColumn);
}

}  // namespace tessera::cli
