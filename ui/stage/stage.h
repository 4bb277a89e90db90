// The stage: what is being rendered, or the clip that is looked at, as large as it fits; below it the transport.
#pragma once

#include <QImage>
#include <QLabel>
#include <QWidget>

class QStackedWidget;
class QToolButton;

namespace rubato::ui {

class Commands;
class Player;
class TimeStrip;

// Paints one picture, letterboxed, enlarged without blur where it is small; a caption says what it is.
class PictureView final : public QWidget {
  Q_OBJECT
 public:
  explicit PictureView(QWidget* parent = nullptr);
  // `size`: of what the picture stands for, where that is larger than the picture itself (a preview).
  void set_picture(const QImage& picture, QSize size = {});
  void set_caption(const QString& caption);
  const QImage& picture() const { return picture_; }
  QSize sizeHint() const override { return {640, 480}; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QImage picture_;
  QSize size_;
  QString caption_;
};

class Stage final : public QWidget {
  Q_OBJECT
 public:
  Stage(Player& player, Commands& commands, QWidget* parent = nullptr);

  // A live preview stands in front of the clip until a clip is opened or moved, or clear_preview() is called. From
  // then on it stays away until follow_preview() is called: who watches a clip is not disturbed.
  void show_preview(const QImage& picture, QSize size, const QString& caption);
  void clear_preview();
  void follow_preview(bool follow);
  bool follows_preview() const { return follows_; }
  bool previewing() const { return previewing_; }
  // What is shown when there is neither.
  void set_empty(QWidget* page);
  PictureView* view() { return view_; }

 Q_SIGNALS:
  void preview_followed(bool follows);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void make_commands(Commands& commands);
  QToolButton* button(QAction* action);
  void refresh();

  Player& player_;
  PictureView* view_;
  TimeStrip* strip_;
  QStackedWidget* pages_;
  QWidget* transport_;
  QLabel* time_;
  QAction* play_ = nullptr;
  QAction* loop_ = nullptr;
  bool previewing_ = false, follows_ = true;
};

}  // namespace rubato::ui
