// Sentences of the engine, as the window says them.
//
// They are written for the command line: "--frames 49 would fit". Here a flag becomes the label of its setting, and
// advice that only a terminal can follow becomes what this window offers. The sentences themselves stay English.
#pragma once

#include <QString>
#include <string_view>

namespace rubato::ui {

// "--frames 49 would fit" → "“Length” 49 would fit"
QString for_window(std::string_view sentence);

}  // namespace rubato::ui
