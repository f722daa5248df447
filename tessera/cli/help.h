// How the program explains itself.
#pragma once

#include <CLI/CLI.hpp>

namespace tessera::cli {

// Lines of at most 100 columns; in the list of commands each has the first sentence of its description only.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_description(const CLI::App* app) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace tessera::cli
