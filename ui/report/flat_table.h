// A table that shows all of its rows at once: the page around it scrolls, not the table. Ctrl+C copies what is chosen.
#pragma once

#include <QAbstractTableModel>
#include <QTableView>

#include "ui/report/run_report.h"

namespace rubato::ui {

class ReportTableModel final : public QAbstractTableModel {
  Q_OBJECT
 public:
  using QAbstractTableModel::QAbstractTableModel;
  void show(ReportTable table);
  const ReportTable& table() const { return table_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  ReportTable table_;
};

class FlatTable final : public QTableView {
  Q_OBJECT
 public:
  explicit FlatTable(QWidget* parent = nullptr);
  void show_table(const ReportTable& table);
  ReportTableModel& report() { return *model_; }

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;

 private:
  void fit();
  ReportTableModel* model_;
};

// The title, the note, and the table, or why there is none.
class ReportSection final : public QWidget {
  Q_OBJECT
 public:
  explicit ReportSection(QWidget* parent = nullptr);
  // What stands between note and table; it belongs to the section.
  void set_picture(QWidget* picture);
  void show_table(const ReportTable& table);
  FlatTable* table() { return table_; }

 private:
  class QLabel* title_;
  class QLabel* note_;
  FlatTable* table_;
  QWidget* picture_ = nullptr;
};

}  // namespace rubato::ui
