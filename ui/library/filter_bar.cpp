#include "ui/library/filter_bar.h"

#include <QComboBox>
#include <QDateTime>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/library/library_model.h"
#include "ui/theme/theme.h"

namespace rubato::ui {
namespace {

constexpr double kDay = 86'400;

// Keeps the choice where it is still offered; the first entry is "all".
void offer_in(QComboBox* box, const QStringList& values) {
  const auto chosen = box->currentData().toString();
  const QSignalBlocker quiet(box);
  while (box->count() > 1) box->removeItem(1);
  for (const auto& value : values) box->addItem(value, value);
  box->setCurrentIndex(std::max(0, box->findData(chosen)));
  box->setEnabled(!values.isEmpty());
}

}  // namespace

FilterBar::FilterBar(const LibraryModel& library, LibraryFilter& filter, QWidget* parent)
    : QWidget(parent),
      library_(library),
      filter_(filter),
      search_(new QLineEdit),
      stars_(new QToolButton),
      models_(new QComboBox),
      tags_(new QComboBox),
      days_(new QComboBox),
      sizes_(new QComboBox),
      clear_(new QToolButton) {
  search_->setPlaceholderText(tr("Search prompts, tags, models, seeds, file names"));
  search_->setAccessibleName(tr("Search the library"));
  search_->setClearButtonEnabled(true);
  search_->addAction(icon(QStringLiteral("search"), "dim"), QLineEdit::LeadingPosition);
  stars_->setObjectName(QStringLiteral("flat"));
  stars_->setCheckable(true);
  stars_->setIcon(icon(QStringLiteral("star")));
  stars_->setIconSize({20, 20});
  stars_->setToolTip(tr("Only clips with a star"));
  stars_->setAccessibleName(stars_->toolTip());
  clear_->setObjectName(QStringLiteral("flat"));
  clear_->setIcon(icon(QStringLiteral("cancel")));
  clear_->setIconSize({20, 20});
  clear_->setToolTip(tr("Show all clips"));
  clear_->setAccessibleName(clear_->toolTip());
  const std::pair<QComboBox*, QString> boxes[] = {
      {models_, tr("All models")}, {tags_, tr("All tags")}, {days_, tr("Any day")}, {sizes_, tr("All sizes")}};
  const QString names[] = {tr("Model"), tr("Tag"), tr("Made"), tr("Size")};
  auto* below = new QHBoxLayout;
  below->setSpacing(8);
  for (int i = 0; i < 4; ++i) {
    auto* box = boxes[i].first;
    box->addItem(boxes[i].second, QString());
    box->setAccessibleName(names[i]);
    box->setToolTip(names[i]);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(10);
    below->addWidget(box, 1);
    connect(box, &QComboBox::currentIndexChanged, this, &FilterBar::apply);
  }
  below->addWidget(clear_);
  days_->addItem(tr("Today"), 1);
  days_->addItem(tr("The last 7 days"), 7);
  days_->addItem(tr("The last 30 days"), 30);
  auto* above = new QHBoxLayout;
  above->setSpacing(8);
  above->addWidget(search_, 1);
  above->addWidget(stars_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(8);
  layout->addLayout(above);
  layout->addLayout(below);
  connect(search_, &QLineEdit::textChanged, this, &FilterBar::apply);
  connect(stars_, &QToolButton::toggled, this, &FilterBar::apply);
  connect(clear_, &QToolButton::clicked, this, &FilterBar::clear);
  soon_.setSingleShot(true);
  soon_.setInterval(0);
  connect(&soon_, &QTimer::timeout, this, &FilterBar::offer);
  connect(&library_, &LibraryModel::changed, &soon_, qOverload<>(&QTimer::start));
  offer();
}

void FilterBar::offer() {
  offer_in(models_, library_.models());
  offer_in(tags_, library_.tags());
  offer_in(sizes_, library_.sizes());
  setEnabled(library_.rowCount() > 0);
  apply();
}

void FilterBar::apply() {
  LibraryFilter::Wanted wanted{.words = search_->text().split(QLatin1Char(' '), Qt::SkipEmptyParts),
                               .starred = stars_->isChecked(),
                               .model = models_->currentData().toString(),
                               .tag = tags_->currentData().toString(),
                               .size = sizes_->currentData().toString()};
  if (const int days = days_->currentData().toInt(); days > 0) {
    const auto midnight = QDate::currentDate().startOfDay();
    wanted.since = static_cast<double>(midnight.toSecsSinceEpoch()) - (days - 1) * kDay;
  }
  clear_->setEnabled(wanted != LibraryFilter::Wanted{});
  filter_.set_wanted(wanted);
}

void FilterBar::clear() {
  search_->clear();
  stars_->setChecked(false);
  for (auto* box : {models_, tags_, days_, sizes_}) box->setCurrentIndex(0);
}

}  // namespace rubato::ui
