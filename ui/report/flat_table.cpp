#include "ui/report/flat_table.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

namespace rubato::ui {
namespace {

// Room to breathe, also around text of several lines, below the header's own words.
class RoomyCells final : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    auto narrower = option;
    narrower.rect.adjust(2, 0, -2, 0);
    return QStyledItemDelegate::sizeHint(narrower, index) + QSize(4, 10);
  }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    auto moved = option;
    if ((option.state & QStyle::State_Selected) == 0) moved.rect.adjust(2, 0, -2, 0);
    QStyledItemDelegate::paint(painter, moved, index);
  }
};

}  // namespace

void ReportTableModel::show(ReportTable table) {
  beginResetModel();
  table_ = std::move(table);
  endResetModel();
}

int ReportTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.rows.size());
}
int ReportTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.heads.size());
}

QVariant ReportTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const auto& row = table_.rows[index.row()];
  if (role == Qt::DisplayRole || role == Qt::ToolTipRole) return row.cells.value(index.column());
  if (role == Qt::TextAlignmentRole) return QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
  if (role == Qt::FontRole && row.marked) {
    auto font = QApplication::font();
    font.setBold(true);
    return font;
  }
  return {};
}

QVariant ReportTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
  return role == Qt::DisplayRole ? QVariant(table_.heads.value(section)) : QVariant();
}

FlatTable::FlatTable(QWidget* parent) : QTableView(parent), model_(new ReportTableModel(this)) {
  setModel(model_);
  setItemDelegate(new RoomyCells(this));
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setSelectionBehavior(QAbstractItemView::SelectRows);
  setSelectionMode(QAbstractItemView::ExtendedSelection);
  setTabKeyNavigation(false);
  setShowGrid(false);
  setWordWrap(true);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  verticalHeader()->hide();
  verticalHeader()->setMinimumSectionSize(26);
  horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  horizontalHeader()->setHighlightSections(false);
  horizontalHeader()->setSectionsClickable(false);
}

void FlatTable::show_table(const ReportTable& table) {
  model_->show(table);
  setAccessibleName(table.title);
  setAccessibleDescription(table.note);
  // Names are short; what they name may be long.
  auto* header = horizontalHeader();
  for (int column = 0; column < header->count(); ++column)
    header->setSectionResizeMode(column,
                                 header->count() == 2 && column == 0 ? QHeaderView::Fixed : QHeaderView::Stretch);
  if (header->count() == 2) header->resizeSection(0, 216);
  // Two numbers and what lies between them: the numbers are short.
  if (header->count() == 4)
    for (int column : {1, 2}) {
      header->setSectionResizeMode(column, QHeaderView::Fixed);
      header->resizeSection(column, 56);
    }
  fit();
}

// As high as its rows are at this width.
void FlatTable::fit() {
  resizeRowsToContents();
  int high = 2 * frameWidth() + horizontalHeader()->sizeHint().height();
  for (int row = 0; row < model_->rowCount(); ++row) high += rowHeight(row);
  if (high != height() || high != minimumHeight()) setFixedHeight(high);
}

void FlatTable::resizeEvent(QResizeEvent* event) {
  QTableView::resizeEvent(event);
  if (event->size().width() != event->oldSize().width()) fit();
}

void FlatTable::keyPressEvent(QKeyEvent* event) {
  if (!event->matches(QKeySequence::Copy)) return QTableView::keyPressEvent(event);
  QStringList lines;
  for (int row = 0; row < model_->rowCount(); ++row)
    if (selectionModel()->isRowSelected(row)) lines.append(model_->table().rows[row].cells.join(QLatin1Char('\t')));
  if (!lines.isEmpty()) QApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

// By keyboard there is always a row to begin with.
void FlatTable::focusInEvent(QFocusEvent* event) {
  QTableView::focusInEvent(event);
  if (!currentIndex().isValid() && event->reason() != Qt::MouseFocusReason) setCurrentIndex(model_->index(0, 0));
}

void FlatTable::wheelEvent(QWheelEvent* event) { event->ignore(); }  // the page scrolls

ReportSection::ReportSection(QWidget* parent)
    : QWidget(parent), title_(new QLabel), note_(new QLabel), table_(new FlatTable) {
  title_->setObjectName(QStringLiteral("heading"));
  note_->setObjectName(QStringLiteral("dim"));
  note_->setWordWrap(true);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(4);
  layout->addWidget(title_);
  layout->addWidget(note_);
  layout->addWidget(table_);
}

void ReportSection::set_picture(QWidget* picture) {
  picture_ = picture;
  static_cast<QVBoxLayout*>(layout())->insertWidget(2, picture);
}

void ReportSection::show_table(const ReportTable& table) {
  const bool any = !table.rows.isEmpty();
  const auto said = any ? table.note : QStringList{table.nothing, table.note}.join(QLatin1Char(' ')).trimmed();
  title_->setText(table.title);
  note_->setText(said);
  note_->setVisible(!said.isEmpty());
  table_->setVisible(any);
  if (picture_ != nullptr) picture_->setVisible(any);
  table_->show_table(table);
}

}  // namespace rubato::ui
