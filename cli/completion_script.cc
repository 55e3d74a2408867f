#include "cli/completion_script.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

namespace mendel::cli {

namespace {

// One place on the command line, and the words that may follow it.
struct Place {
  std::string words;  // "alias set"
  std::vector<std::string> next;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void find_places(const CLI::App& app, const std::string& words,
                 std::vector<Place>& places) {
  Place place{words, {}};
  for (const CLI::App* command : app.get_subcommands(
           [](const CLI::App* each) { return !each->get_group().empty(); })) {
    place.next.push_back(command->get_name());
    find_places(*command,
                words.empty() ? command->get_name() : words + " " + command->get_name(),
                places);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) place.next.push_back("--" + name);
  }
  places.push_back(std::move(place));
}

// Words that are no options lead from place to place; where none fits, files are offered.
std::string bash_script(const std::vector<Place>& places) {
  std::string cases;
  for (const Place& place : places) {
    cases += fmt::format("    '{}') next='{}' ;;\n", place.words, joined(place.next));
  }
  return fmt::format(R"(_mendel() {{
  local place='' known='' next='' word
  _mendel_next() {{
    case "$1" in
{}    *) return 1 ;;
    esac
  }}
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in -*) continue ;; esac
    known="${{place:+$place }}$word"
    if _mendel_next "$known"; then place="$known"; fi
  done
  _mendel_next "$place"
  COMPREPLY=($(compgen -W "$next" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _mendel mendel
)",
                     cases);
}

std::string zsh_script(const std::vector<Place>& places) {
  return "#compdef mendel\nautoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(places);
}

std::string fish_condition(const std::string& words) {
  std::string condition;
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    if (begin) condition += "; and ";
    condition += "__fish_seen_subcommand_from " + words.substr(begin, end - begin);
    begin = end + 1;
  }
  return condition.empty() ? "__fish_use_subcommand" : condition;
}

std::string fish_script(const std::vector<Place>& places) {
  std::string script;
  for (const Place& place : places) {
    for (const std::string& word : place.next) {
      const bool option = word.starts_with("--");
      script +=
          fmt::format("complete -c mendel -n '{}' {} {}\n", fish_condition(place.words),
                      option ? "-l" : "-a", option ? word.substr(2) : word);
    }
  }
  return script;
}

}  // namespace

std::string completion_script(std::string_view shell, const CLI::App& root) {
  std::vector<Place> places;
  find_places(root, "", places);
  if (shell == "zsh") return zsh_script(places);
  return shell == "fish" ? fish_script(places) : bash_script(places);
}

}  // namespace mendel::cli
