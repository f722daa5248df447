#include "tessera/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <vector>

#include "tessera/cli/text.h"

namespace tessera::cli {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kOptionColumn = 28;
constexpr size_t kCommandColumn = 12;

// Lines of at most 100 columns; in the list of commands each has the first sentence of its description only.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kOptionColumn); }

  std::string make_description(const CLI::App* app) const override {
    return Wrap(app->get_description(), kWidth) + "\n\n";
  }

  std::string make_subcommand(const CLI::App* command) const override {
    const std::string about = command->get_description();
    const std::string first = about.substr(0, about.find_first_of(".:;"));
    return fmt::format("  {:<{}}{}\n", command->get_name(), kCommandColumn - 2,
                       Wrap(first, kWidth - kCommandColumn, kCommandColumn));
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    return Wrap(option->get_description(), kWidth - kOptionColumn);
  }
};

// Errors are one line, whatever the message has in it.
void PrintError(std::string message) {
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  fmt::print(stderr, "tessera: {}\n", message);
}

// "nan" is between any two numbers for CLI11.
bool IsFinite(const std::string& text, double least) {
  double number = 0;
  return CLI::detail::lexical_cast(text, number) && std::isfinite(number) && number >= least;
}

// What no command caught: memory that there is not, for sizes that somebody made up.
Result<int> RunGuarded(const std::function<Result<int>()>& run) {
  try {
    return run();
  } catch (const std::bad_alloc&) {
    return Fail(Code::kUnavailable, "there is not enough memory for it");
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "{}", error.what());
  }
}

}  // namespace

// CLI11's objects belong to the program's.

Option& Option::Required() {
  option_->required();
  return *this;
}

Option& Option::ShowDefault() {
  option_->capture_default_str();
  return *this;
}

Option& Option::Positive() {
  option_->check([](const std::string& text) { return IsFinite(text, 1) ? "" : "wanted a number from 1"; });
  return *this;
}

Option& Option::NotNegative() {
  option_->check([](const std::string& text) { return IsFinite(text, 0) ? "" : "wanted a number from 0"; });
  return *this;
}

Option& Option::Between(int least, int most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::Bytes() {
  option_->transform(CLI::AsSizeValue(false));
  // Runs first, for CLI11 takes -1 for a very large number.
  option_->transform(CLI::Validator(
      [](const std::string& text) -> std::string {
        const bool is_size = !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0;
        return is_size ? "" : "wanted a size: 500MiB";
      },
      ""));
  return *this;
}

Option& Option::Needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

template <class T>
Option Command::Add(const char* name, T& into, const std::string& about) {
  return Option(app_->add_option(name, into, about));
}

Option Command::Flag(const char* name, bool& into, const std::string& about) {
  return Option(app_->add_flag(name, into, about));
}

struct Program::State {
  struct Known {
    CLI::App* app = nullptr;
    std::function<Result<int>()> run;
  };

  // CLI11 tells of a missing command before it tells of an unknown one.
  std::string UsageError(int argc, char** argv, const CLI::ParseError& error) const {
    const std::string first = argc > 1 ? argv[1] : "-";
    const bool known = first[0] == '-' ||
                       std::any_of(commands.begin(), commands.end(),
                                   [&](const Known& command) { return command.app->get_name() == first; });
    const std::string what = known ? error.what() : fmt::format("no command '{}'", first);
    return what + " (see `tessera --help`)";
  }

  CLI::App app;
  std::vector<Known> commands;
};

Program::Program(const char* name, const char* version, const char* about, const char* footer)
    : state_(new State{CLI::App(about, name), {}}) {
  state_->app.formatter(std::make_shared<HelpFormatter>());
  state_->app.footer(footer);
  state_->app.require_subcommand(1);
  state_->app.set_version_flag("--version", version);
}

Program::~Program() = default;

Command Program::Add(const char* name, const char* about, const char* example,
                     std::function<Result<int>()> run) {
  CLI::App* app = state_->app.add_subcommand(name, about);
  app->footer(example);
  state_->commands.push_back({app, std::move(run)});
  return Command(app);
}

int Program::Run(int argc, char** argv) {
  try {
    state_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return state_->app.exit(error);  // --help, --version
    PrintError(state_->UsageError(argc, argv, error));
    return ToInt(ExitCode::kBadInput);
  }
  for (const State::Known& command : state_->commands) {
    if (!command.app->parsed()) continue;
    Result<int> code = RunGuarded(command.run);
    if (code) return *code;
    PrintError(code.error().ToString());
    return ToInt(ExitCode::kBadInput);
  }
  return ToInt(ExitCode::kOk);
}

template Option Command::Add(const char*, int&, const std::string&);
template Option Command::Add(const char*, int64_t&, const std::string&);
template Option Command::Add(const char*, uint64_t&, const std::string&);
template Option Command::Add(const char*, double&, const std::string&);
template Option Command::Add(const char*, std::string&, const std::string&);
template Option Command::Add(const char*, std::filesystem::path&, const std::string&);
template Option Command::Add(const char*, std::vector<int>&, const std::string&);
template Option Command::Add(const char*, std::vector<std::string>&, const std::string&);

}  // namespace tessera::cli
