// Turns CUDA C++ into C++: only shared memory and the table of kernels need to be written differently.
#include "program-text.h"

#include <cctype>

namespace software {

namespace {

struct Scanner {
  const std::string& source;
  size_t at = 0;

  bool ended() const { return at >= source.size(); }
  static bool isWord(char letter) { return isalnum((unsigned char)letter) || letter == '_'; }

  /** The next token: a word, a literal, a comment, white space or a single character. */
  std::string next() {
    size_t start = at;
    char first = source[at];
    auto startsWith = [&](const char* text) { return source.compare(at, 2, text) == 0; };
    if (startsWith("//")) {
      while (!ended() && source[at] != '\n') at++;
    } else if (startsWith("/*")) {
      size_t end = source.find("*/", at + 2);
      at = end == std::string::npos ? source.size() : end + 2;
    } else if (first == '"' || first == '\'') {
      at++;
      while (!ended() && source[at] != first) at += source[at] == '\\' ? 2 : 1;
      at++;
      if (at > source.size()) at = source.size();
    } else if (isspace((unsigned char)first)) {
      while (!ended() && isspace((unsigned char)source[at])) at++;
    } else if (isWord(first)) {
      while (!ended() && isWord(source[at])) at++;
    } else {
      at++;
    }
    return source.substr(start, at - start);
  }
};

bool isBlank(const std::string& token) {
  return isspace((unsigned char)token[0]) || token.compare(0, 2, "//") == 0 || token.compare(0, 2, "/*") == 0;
}

/** `__align__(16) unsigned char name[` as the type and the name of an array without bounds. */
std::string dynamicArray(const std::string& declaration) {
  std::string text = declaration;
  for (const char* word : {"__align__", "alignas"}) {
    size_t start = text.find(word);
    if (start != std::string::npos) text.erase(start, text.find(')', start) + 1 - start);
  }
  size_t bracket = text.find('['), end = text.find_last_not_of(" \t\n", bracket - 1) + 1, start = end;
  while (start > 0 && Scanner::isWord(text[start - 1])) start--;
  return "SOFTWARE_DYNAMIC_SHARED(" + text.substr(0, start) + ", " + text.substr(start, end - start) + ")";
}

struct Found {
  std::string name, bounds = "1024";
};

}  // namespace

ProgramText translate(const std::string& source, const std::string& name, int architecture) {
  Scanner scanner{source};
  std::string body;
  std::vector<Found> kernels;
  enum { outside, declaring, parameters, afterParameters, inBody } state = outside;
  Found found;
  std::string lastWord;
  int parentheses = 0, braces = 0;
  while (!scanner.ended()) {
    std::string token = scanner.next();
    if (isBlank(token)) {
      body += token;
      continue;
    }
    if (token == "extern") {
      size_t before = scanner.at;
      std::string blank = scanner.next(), word = scanner.ended() ? "" : scanner.next();
      if (word == "__shared__") {
        size_t end = source.find(']', scanner.at) + 1;
        body += dynamicArray(source.substr(scanner.at, end - scanner.at));
        scanner.at = end;
        continue;
      }
      scanner.at = before;
    } else if (token == "__shared__") {
      body += state == inBody ? "SOFTWARE_SHARED(" + found.name + ")" : "static";
      continue;
    } else if (token == "__global__") {
      state = declaring;
      found = {};
      lastWord.clear();
    } else if (token == "__launch_bounds__" && state == declaring) {
      size_t open = source.find('(', scanner.at), end = open;
      for (int depth = 0; end < source.size(); end++) {
        depth += source[end] == '(' ? 1 : source[end] == ')' ? -1 : 0;
        if (depth == 0) break;
      }
      found.bounds = "software::firstBound" + source.substr(open, end + 1 - open);
      scanner.at = end + 1;
      continue;
    } else if (state == declaring) {
      if (Scanner::isWord(token[0])) lastWord = token;
      if (token == "(") {
        found.name = lastWord;
        state = parameters;
        parentheses = 1;
      }
    } else if (state == parameters) {
      parentheses += token == "(" ? 1 : token == ")" ? -1 : 0;
      if (parentheses == 0) state = afterParameters;
    } else if (state == afterParameters) {
      // A mere declaration ends here.
      state = token == "{" ? inBody : outside;
      braces = 1;
      if (state == inBody) {
        bool known = false;
        for (const Found& other : kernels) known = known || other.name == found.name;
        if (!known) kernels.push_back(found);
      }
    } else if (state == inBody) {
      braces += token == "{" ? 1 : token == "}" ? -1 : 0;
      if (braces == 0) state = outside;
    }
    body += token;
  }

  ProgramText result;
  std::string& text = result.text;
  text = "#include \"kernel.h\"\nnamespace {\n#line 1 \"" + name + "\"\n" + body + "\n}\n#line 1 \"table of kernels\"\n";
  for (const Found& kernel : kernels) {
    text += "SOFTWARE_SECTION_BOUNDS(" + kernel.name + ")\n";
    result.kernels.push_back(kernel.name);
  }
  text += "static const software::Kernel softwareKernels[] = {\n";
  for (const Found& kernel : kernels) text += "SOFTWARE_KERNEL(" + kernel.name + ", " + kernel.bounds + ")\n";
  text += "{}};\nextern \"C\" __attribute__((visibility(\"default\"))) const software::Module softwareModule = {software::moduleMagic, " +
          std::to_string(architecture) + ", softwareKernels, " + std::to_string(kernels.size()) +
          ", &threadIdx, &blockIdx, &blockDim, &gridDim, &softwareRuntime};\n";
  return result;
}

}  // namespace software
