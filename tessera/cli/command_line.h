// The command line of a program of commands. CLI11 reads it; no other source includes CLI11, which takes
// seconds to compile.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tessera/base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tessera::cli {

// What the program ends with; bad usage or bad input is a failed Result and becomes 2.
enum class ExitCode { kOk = 0, kCheckFailed = 1, kBadInput = 2 };

inline int ToInt(ExitCode code) {
  return static_cast<int>(code);
}

// An option that was added: what is wanted of it beside its type.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& Required();
  Option& ShowDefault();  // in --help: the value that it has now
  Option& Positive();
  Option& NotNegative();
  Option& Between(int least, int most);
  Option& Bytes();  // may have a unit: 500MiB, 80GB
  Option& Needs(const Option& other);

 private:
  CLI::Option* option_;
};

// The options of a command. What they are read into must live as long as the program.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  // `name`: "--name", "-n,--name", or NAME for an argument that is known by its place. T: a number, text or a
  // list of them; a type that is missing is added at the end of command_line.cc.
  template <class T>
  Option Add(const char* name, T& into, const std::string& about);
  Option Flag(const char* name, bool& into, const std::string& about);
  Option JsonFlag(bool& into) { return Flag("--json", into, "Print one JSON object instead of text"); }

 private:
  CLI::App* app_;
};

class Program {
 public:
  Program(const char* name, const char* version, const char* about, const char* footer);
  ~Program();

  // `run` does the command and gives the process's exit code.
  Command Add(const char* name, const char* about, const char* example, std::function<Result<int>()> run);

  // Reads the command line and runs the command that it names. Errors go to stderr, a line each. The
  // process's exit code.
  int Run(int argc, char** argv);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tessera::cli
