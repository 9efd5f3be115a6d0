#pragma once
#include <string>
#include <vector>

namespace software {

struct ProgramText {
  /** What the C++ compiler is given. */
  std::string text;
  std::vector<std::string> kernels;
};

/** Turns the text of a CUDA program into C++ that includes kernel.h. */
ProgramText translate(const std::string& source, const std::string& name, int architecture);

}  // namespace software
