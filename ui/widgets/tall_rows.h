// Rows of a list or table with room to breathe.
#pragma once

#include <QStyledItemDelegate>

namespace rubato::ui {

class TallRows : public QStyledItemDelegate {
  Q_OBJECT
 public:
  static constexpr int kHeight = 30;
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    return {QStyledItemDelegate::sizeHint(option, index).width(), kHeight};
  }
};

}  // namespace rubato::ui
