// Commands: everything that the studio can be told to do, by name, by menu, by shortcut and through the palette.
//
// Each command is an action with a stable id ("create.render"). Shortcuts can be changed; two commands whose shortcuts
// could be meant at the same time cannot have the same one. What was changed is kept in one JSON file.
#pragma once

#include <QAction>
#include <QKeySequence>
#include <QObject>
#include <QPointer>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "engine/base/error.h"

namespace rubato::ui {

// The menus, in their order. A command's menu stands before it in the palette as well.
enum class Menu { File, Edit, Create, Play, Queue, Library, Models, Go, View, Help };
inline constexpr int kMenus = static_cast<int>(Menu::Help) + 1;
QString menu_title(Menu menu);  // "&Queue"
QString menu_name(Menu menu);   // "Queue"

struct CommandSpec {
  QString id;    // "create.render"
  QString text;  // "Render"
  Menu menu = Menu::File;
  QKeySequence shortcut;
  QString icon;              // name of an icon; may be empty
  QString help;              // a sentence for tool tip and status bar
  QWidget* scope = nullptr;  // the shortcut counts only inside this widget; nullptr: in the whole window
  bool checkable = false;
  bool on_choice = false;  // acts on what is chosen inside its scope
};

class Commands final : public QObject {
  Q_OBJECT
 public:
  // `file` keeps changed shortcuts; an unreadable one counts as empty. Empty: nothing is kept.
  explicit Commands(std::filesystem::path file, QObject* parent = nullptr);

  // The action belongs to this object. Ids are unique.
  QAction* add(CommandSpec spec, std::function<void()> run);
  QAction* find(const QString& id) const;
  struct Entry {
    CommandSpec spec;  // with the shortcut as delivered
    QPointer<QAction> action;
  };
  const std::vector<Entry>& all() const { return entries_; }

  // The command that has this shortcut already where `id` could be meant as well; nullptr: none.
  const Entry* conflict(const QString& id, const QKeySequence& keys) const;
  // Usage: the sentence names the command that has it. An empty sequence takes the shortcut away.
  Result<> set_shortcut(const QString& id, const QKeySequence& keys);
  Result<> reset_shortcut(const QString& id);

  // All commands are gone; what was changed of their shortcuts is kept for those of the same ids.
  void clear();

  // Window-wide shortcuts work where the actions are: the main window calls this once.
  void attach(QWidget* window);

 Q_SIGNALS:
  void added(QAction* action);
  void shortcut_changed(const QString& id);

 private:
  Result<> save() const;

  std::filesystem::path file_;
  std::vector<Entry> entries_;
  QMap<QString, QString> changed_;  // id → portable text, as in the file
  QPointer<QWidget> window_;
};

}  // namespace rubato::ui
