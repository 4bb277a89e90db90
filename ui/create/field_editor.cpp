#include "ui/create/field_editor.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QSpinBox>
#include <QStyle>
#include <QToolButton>
#include <QWheelEvent>
#include <limits>

#include "pipelines/job/field_value.h"
#include "ui/create/field_texts.h"
#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

constexpr int kHeight = 28;  // of an editor

QHBoxLayout* row_of(QWidget* widget) {
  auto* layout = new QHBoxLayout(widget);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(4);
  return layout;
}

QToolButton* side_button(const QString& icon_name, const QString& text) {
  auto* button = new QToolButton;
  button->setObjectName(QStringLiteral("flat"));
  button->setIcon(icon(icon_name));
  button->setToolTip(text);
  button->setAccessibleName(text);
  return button;
}

// A number box whose smallest value stands for "open". The wheel scrolls the form, not the number, until the box has
// the focus.
template <typename Base, typename Number>
class OpenSpin final : public Base {
 public:
  explicit OpenSpin(Number open) : open_(open) {
    this->setFocusPolicy(Qt::StrongFocus);
    this->setKeyboardTracking(false);
    this->setGroupSeparatorShown(false);
    this->setMinimumHeight(kHeight);
    QObject::connect(this, &Base::valueChanged, this, [this] { show_open(); });
  }
  // What the model decides is dimmed (and has no button that opens it again).
  void show_open() {
    // On the box: its line takes its style from it.
    this->setProperty("open", this->value() == open_);
    this->style()->unpolish(this);
    this->style()->polish(this);
  }
  void set_fallback(std::optional<Number> fallback) { fallback_ = fallback; }
  void stepBy(int steps) override {
    if (this->value() == open_ && fallback_)
      this->setValue(static_cast<Number>(*fallback_ + this->singleStep() * steps));
    else
      Base::stepBy(steps);
  }

 protected:
  void wheelEvent(QWheelEvent* event) override { this->hasFocus() ? Base::wheelEvent(event) : event->ignore(); }

 private:
  Number open_;
  std::optional<Number> fallback_;
};

template <typename Base, typename Number>
class NumberEditor final : public FieldEditor {
 public:
  NumberEditor(Number min, Number max, Number step, bool optional, QWidget* parent)
      : FieldEditor(parent), open_(static_cast<Number>(min - step)), spin_(new OpenSpin<Base, Number>(open_)) {
    spin_->setRange(optional ? open_ : min, max);
    spin_->show_open();
    spin_->setSingleStep(step);
    if constexpr (std::is_same_v<Number, double>) spin_->setDecimals(2);
    row_of(this)->addWidget(spin_);
    connect(spin_, &Base::valueChanged, this, [this](Number value) {
      if (!quiet_) Q_EMIT edited(value == open_ ? QString() : QString::number(value));
    });
  }
  void set_text(const QString& text) override {
    quiet_ = true;
    if constexpr (std::is_same_v<Number, double>)
      spin_->setValue(text.isEmpty() ? open_ : text.toDouble());
    else
      spin_->setValue(text.isEmpty() ? open_ : text.toInt());
    quiet_ = false;
  }
  void set_open_text(const QString& text) override {
    if constexpr (std::is_same_v<Number, double>)
      spin_->set_fallback(text.isEmpty() ? std::nullopt : std::optional(text.toDouble()));
    else
      spin_->set_fallback(text.isEmpty() ? std::nullopt : std::optional(text.toInt()));
    spin_->setSpecialValueText(text.isEmpty() ? FieldEditor::tr("the model's") : number_text(text));
  }
  void set_step(int step) override { spin_->setSingleStep(static_cast<Number>(step)); }
  QWidget* input() override { return spin_; }

 private:
  Number open_;
  OpenSpin<Base, Number>* spin_;
  bool quiet_ = false;
};

class ChoiceEditor final : public FieldEditor {
 public:
  ChoiceEditor(const QStringList& names, QWidget* parent) : FieldEditor(parent), box_(new QComboBox) {
    box_->addItems(names);
    box_->setMinimumHeight(kHeight);
    row_of(this)->addWidget(box_);
    connect(box_, &QComboBox::activated, this, [this] { Q_EMIT edited(box_->currentText()); });
  }
  void set_text(const QString& text) override { box_->setCurrentText(text); }
  void set_open_text(const QString&) override {}
  void set_choices(const QStringList& names) override {
    const auto now = box_->currentText();
    box_->clear();
    box_->addItems(names.contains(now) ? names : names + QStringList{now});
    box_->setCurrentText(now);
  }
  QWidget* input() override { return box_; }

 private:
  QComboBox* box_;
};

class SwitchEditor final : public FieldEditor {
 public:
  explicit SwitchEditor(QWidget* parent) : FieldEditor(parent), box_(new QCheckBox) {
    row_of(this)->addWidget(box_, 0, Qt::AlignLeft);
    connect(box_, &QCheckBox::clicked, this,
            [this](bool on) { Q_EMIT edited(on ? QStringLiteral("true") : QStringLiteral("false")); });
  }
  void set_text(const QString& text) override { box_->setChecked(text == QLatin1String("true")); }
  void set_open_text(const QString&) override {}
  QWidget* input() override { return box_; }

 private:
  QCheckBox* box_;
};

// A line of text; with buttons at its side for what can be chosen or drawn.
class LineEditor : public FieldEditor {
 public:
  explicit LineEditor(QWidget* parent) : FieldEditor(parent), line_(new QLineEdit), layout_(row_of(this)) {
    layout_->addWidget(line_, 1);
    connect(line_, &QLineEdit::editingFinished, this, [this] {
      if (line_->text() != shown_) Q_EMIT edited(shown_ = line_->text().trimmed());
    });
  }
  void set_text(const QString& text) override {
    shown_ = text;
    if (line_->text() != text) line_->setText(text);
  }
  void set_open_text(const QString& text) override { line_->setPlaceholderText(text); }
  QWidget* input() override { return line_; }

 protected:
  void commit(const QString& text) {
    line_->setText(text);
    Q_EMIT edited(shown_ = text);
  }
  QLineEdit* line_;
  QHBoxLayout* layout_;

 private:
  QString shown_;
};

class SeedEditor final : public LineEditor {
 public:
  explicit SeedEditor(QWidget* parent) : LineEditor(parent) {
    line_->setPlaceholderText(FieldEditor::tr("random"));
    line_->setMinimumWidth(80);  // also beside a long label
    auto* draw = side_button(QStringLiteral("dice"), FieldEditor::tr("Draw a seed and keep it"));
    layout_->addWidget(draw);
    // 32 bits are enough to be new, and short enough to be read to somebody.
    connect(draw, &QToolButton::clicked, this,
            [this] { commit(QString::number(QRandomGenerator::global()->generate())); });
  }
  void set_open_text(const QString&) override {}
};

class FileEditor final : public LineEditor {
 public:
  explicit FileEditor(QWidget* parent) : LineEditor(parent) {
    line_->setPlaceholderText(FieldEditor::tr("none"));
    auto* choose = side_button(QStringLiteral("folder"), FieldEditor::tr("Choose a file"));
    layout_->addWidget(choose);
    connect(choose, &QToolButton::clicked, this, [this] {
      const auto file =
          QFileDialog::getOpenFileName(this, FieldEditor::tr("Choose a picture"), line_->text(),
                                       FieldEditor::tr("Pictures (*.png *.jpg *.jpeg *.webp);;All files (*)"));
      if (!file.isEmpty()) commit(file);
    });
  }
  void set_open_text(const QString&) override {}
};

class SizeEditor final : public FieldEditor {
 public:
  explicit SizeEditor(QWidget* parent) : FieldEditor(parent), box_(new QComboBox) {
    box_->setEditable(true);
    box_->setMinimumHeight(kHeight);
    box_->setInsertPolicy(QComboBox::NoInsert);
    box_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    row_of(this)->addWidget(box_);
    connect(box_, &QComboBox::activated, this, [this] { commit(); });
    connect(box_->lineEdit(), &QLineEdit::editingFinished, this, [this] { commit(); });
  }
  void set_text(const QString& text) override {
    shown_ = text;
    box_->setEditText(text);
  }
  void set_open_text(const QString& text) override {
    box_->lineEdit()->setPlaceholderText(text.isEmpty() ? FieldEditor::tr("the model's") : text);
  }
  void set_choices(const QStringList& sizes) override {
    box_->clear();
    box_->addItems(sizes);
    box_->setEditText(shown_);
  }
  QWidget* input() override { return box_; }

 private:
  void commit() {
    const auto text =
        box_->currentText().trimmed().toLower().replace(QChar(0xd7), QLatin1Char('x')).remove(QLatin1Char(' '));
    if (text != shown_) Q_EMIT edited(shown_ = text);
  }
  QComboBox* box_;
  QString shown_;
};

QStringList names_of(const std::vector<std::string_view>& names) {
  QStringList list;
  for (const auto name : names) list.append(qt(name));
  return list;
}

}  // namespace

FieldEditor* FieldEditor::make(const FieldRef& field, QWidget* parent) {
  const bool optional = detail::is_optional(field);
  return std::visit(
      detail::Overloaded{
          [&](const IntRange& range) -> FieldEditor* {
            const auto limit = [](std::int64_t value) {
              return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min() + 1,
                                                               std::numeric_limits<int>::max()));
            };
            return new NumberEditor<QSpinBox, int>(limit(range.min), limit(range.max), 1, optional, parent);
          },
          [&](const RealRange& range) -> FieldEditor* {
            return new NumberEditor<QDoubleSpinBox, double>(range.min, range.max, 0.5, optional, parent);
          },
          [&](const Choice& choice) -> FieldEditor* { return new ChoiceEditor(names_of(choice.names), parent); },
          [&](const DeviceText&) -> FieldEditor* {
            return new ChoiceEditor({QStringLiteral("auto"), QStringLiteral("cpu")}, parent);
          },
          [&](const Method&) -> FieldEditor* {
            return new ChoiceEditor(names_of(detail::policy_of(field)->methods()), parent);
          },
          [&](const Switch&) -> FieldEditor* { return new SwitchEditor(parent); },
          [&](const SizeSpec&) -> FieldEditor* { return new SizeEditor(parent); },
          [&](const SeedSpec&) -> FieldEditor* { return new SeedEditor(parent); },
          [&](const PathText& path) -> FieldEditor* {
            return path.role == PathRole::Input ? static_cast<FieldEditor*>(new FileEditor(parent))
                                                : new LineEditor(parent);
          },
          [&](const auto&) -> FieldEditor* { return new LineEditor(parent); },
      },
      field.rule);
}

}  // namespace rubato::ui
