// The workspaces of this build, in the order of the bar. A new one is one more folder and one more line here.
#pragma once

#include <QString>
#include <functional>
#include <vector>

class QWidget;

namespace rubato::ui {

class Studio;

struct WorkspaceSpec {
  QString id, title, icon;
  // Made when it is first looked at. A QMainWindow has its docks' layout kept.
  std::function<QWidget*(Studio&)> make;
};

std::vector<WorkspaceSpec> builtin_workspaces();

}  // namespace rubato::ui
