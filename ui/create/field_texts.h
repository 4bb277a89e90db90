// What people read about a field of the job schema: its label, unit and place in the form. A field that is not in the
// table still appears, under Advanced, with its own name as label: the form follows the schema, not this table.
#pragma once

#include <QString>
#include <string_view>

namespace rubato::ui {

enum class FormPlace {
  Basic,     // always open
  Advanced,  // folded away
  Elsewhere  // has a place of its own (prompt, model), or is decided by the studio (out, id)
};

struct FieldWords {
  QString label, unit;
  FormPlace place = FormPlace::Advanced;
};

FieldWords field_words(std::string_view name);

}  // namespace rubato::ui
