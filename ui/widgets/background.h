// Work that would stall the window, done on a thread of the pool.
//
// in_background(owner, work, done): work() runs elsewhere and must touch nothing of the window; its result is handed to
// done(result) on the window's thread, unless owner has died meanwhile.
#pragma once

#include <QCoreApplication>
#include <QMetaObject>
#include <QPointer>
#include <QThreadPool>
#include <memory>
#include <utility>

namespace rubato::ui {

template <typename Work, typename Done>
void in_background(QObject* owner, Work work, Done done) {
  QThreadPool::globalInstance()->start(
      [alive = QPointer<QObject>(owner), work = std::move(work), done = std::move(done)]() mutable {
        auto result = std::make_shared<decltype(work())>(work());
        // Posted to the application, which outlives the pool; whether the owner lives is asked on its own thread.
        QMetaObject::invokeMethod(
            QCoreApplication::instance(),
            [alive, result, done = std::move(done)]() mutable {
              if (alive) done(std::move(*result));
            },
            Qt::QueuedConnection);
      });
}

}  // namespace rubato::ui
