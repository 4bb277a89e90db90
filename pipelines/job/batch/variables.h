// {var.x} in the texts of a job.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace rubato {

using Variables = std::map<std::string, std::string>;

// A letter or '_', then letters, digits, '_' and '-'; at most 64.
bool is_variable_name(std::string_view name);

// Puts the values in. Other braces stay as they are; what cannot be a variable behind "{var." or is not there is
// refused (JobInvalid, "uses {var.lok}, which …; did you mean 'var.look'?"), as is a result that would be read as a
// variable again.
Result<std::string> substitute_variables(std::string_view text, const Variables& variables);

}  // namespace rubato
