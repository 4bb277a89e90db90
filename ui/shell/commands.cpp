#include "ui/shell/commands.h"

#include <fmt/format.h>

#include <QRegularExpression>
#include <QWidget>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/files.h"
#include "engine/base/json.h"
#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

QString menu_title(Menu menu) {
  switch (menu) {
    case Menu::File:
      return Commands::tr("&File");
    case Menu::Edit:
      return Commands::tr("&Edit");
    case Menu::Create:
      return Commands::tr("&Create");
    case Menu::Play:
      return Commands::tr("&Play");
    case Menu::Queue:
      return Commands::tr("&Queue");
    case Menu::Library:
      return Commands::tr("&Library");
    case Menu::Models:
      return Commands::tr("&Models");
    case Menu::Go:
      return Commands::tr("&Go");
    case Menu::View:
      return Commands::tr("&View");
    case Menu::Help:
      return Commands::tr("&Help");
  }
  return {};
}

QString menu_name(Menu menu) {
  // Where a script has no such letters, the accelerator stands behind the word: "队列(&Q)".
  static const QRegularExpression behind(QStringLiteral("\\(&.\\)"));
  return menu_title(menu).remove(behind).remove(QLatin1Char('&'));
}

Commands::Commands(std::filesystem::path file, QObject* parent) : QObject(parent), file_(std::move(file)) {
  if (file_.empty()) return;
  const auto text = read_file(file_, 1u << 20);
  if (!text) return;
  const auto json = parse_json(*text, file_.string(), {.max_bytes = 1u << 20, .max_depth = 4});
  if (!json || !json->is_object()) return;
  for (const auto& [id, keys] : json->items())
    if (keys.is_string()) changed_.insert(qt(id), qt(keys.get<std::string>()));
}

QAction* Commands::add(CommandSpec spec, std::function<void()> run) {
  RUBATO_CHECK(find(spec.id) == nullptr, "two commands have the id ", utf8(spec.id));
  auto* action = new QAction(spec.text, this);
  action->setObjectName(spec.id);
  action->setCheckable(spec.checkable);
  if (!spec.icon.isEmpty()) action->setIcon(icon(spec.icon));
  if (!spec.help.isEmpty()) action->setStatusTip(spec.help);
  action->setShortcutContext(spec.scope != nullptr ? Qt::WidgetWithChildrenShortcut : Qt::WindowShortcut);
  const auto changed = changed_.constFind(spec.id);
  action->setShortcut(changed != changed_.constEnd() ? QKeySequence(*changed, QKeySequence::PortableText)
                                                     : spec.shortcut);
  if (spec.scope != nullptr)
    spec.scope->addAction(action);
  else if (window_)
    window_->addAction(action);
  connect(action, &QAction::triggered, this, [run = std::move(run)] { run(); });
  entries_.push_back({std::move(spec), action});
  Q_EMIT added(action);
  return action;
}

QAction* Commands::find(const QString& id) const {
  for (const auto& entry : entries_)
    if (entry.spec.id == id) return entry.action;
  return nullptr;
}

const Commands::Entry* Commands::conflict(const QString& id, const QKeySequence& keys) const {
  if (keys.isEmpty()) return nullptr;
  const Entry* self = nullptr;
  for (const auto& entry : entries_)
    if (entry.spec.id == id) self = &entry;
  for (const auto& entry : entries_) {
    if (entry.spec.id == id || !entry.action || entry.action->shortcut().isEmpty()) continue;
    // Two scopes that are not the same are never meant at once; a window's shortcut is meant everywhere.
    if (self != nullptr && self->spec.scope != nullptr && entry.spec.scope != nullptr &&
        self->spec.scope != entry.spec.scope)
      continue;
    if (entry.action->shortcut().matches(keys) != QKeySequence::NoMatch ||
        keys.matches(entry.action->shortcut()) != QKeySequence::NoMatch)
      return &entry;
  }
  return nullptr;
}

Result<> Commands::set_shortcut(const QString& id, const QKeySequence& keys) {
  auto* action = find(id);
  RUBATO_CHECK(action != nullptr, "there is no command ", utf8(id));
  if (const auto* other = conflict(id, keys))
    return Error{ErrorCode::Usage, utf8(tr("%1 belongs to “%2”; change that first, or choose another.")
                                            .arg(keys.toString(QKeySequence::NativeText), other->spec.text))};
  action->setShortcut(keys);
  changed_.insert(id, keys.toString(QKeySequence::PortableText));
  Q_EMIT shortcut_changed(id);
  return save();
}

Result<> Commands::reset_shortcut(const QString& id) {
  for (const auto& entry : entries_) {
    if (entry.spec.id != id) continue;
    RUBATO_OK(set_shortcut(id, entry.spec.shortcut));
    changed_.remove(id);
    return save();
  }
  return {};
}

void Commands::clear() {
  for (const auto& entry : entries_) delete entry.action;
  entries_.clear();
}

void Commands::attach(QWidget* window) {
  window_ = window;
  for (const auto& entry : entries_)
    if (entry.spec.scope == nullptr && entry.action) window->addAction(entry.action);
}

Result<> Commands::save() const {
  if (file_.empty()) return {};
  std::error_code failed;
  std::filesystem::create_directories(file_.parent_path(), failed);
  nlohmann::json json = nlohmann::json::object();
  for (auto it = changed_.begin(); it != changed_.end(); ++it) json[utf8(it.key())] = utf8(it.value());
  return write_file_atomically(file_, json.dump(2) + "\n", Overwrite::Always);
}

}  // namespace rubato::ui
