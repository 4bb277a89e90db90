// What people read about a field of the job schema: its label, unit, help and place in the form. A field that is not in
// the table still appears, under Advanced, with its own name as label: the form follows the schema, not this table.
#pragma once

#include <QString>
#include <string_view>

namespace rubato {
struct FieldRef;
}

namespace rubato::ui {

enum class FormPlace {
  Basic,     // always open
  Advanced,  // folded away
  Elsewhere  // has a place of its own (prompt, model), or is decided by the studio (out, id)
};

struct FieldWords {
  QString label, unit, help;
  FormPlace place = FormPlace::Advanced;
};

FieldWords field_words(std::string_view name);
// What the field takes: "1 to 120"; "" where anything goes.
QString rule_text(const FieldRef& field);
// What it comes to where it is left open: "the model's", "off".
QString default_text(const FieldRef& field);
// A number as it is written in the user's language, other texts as they are: "3.5" → "3,5".
QString number_text(const QString& text);

}  // namespace rubato::ui
