#include "pipelines/job/queue/queue_requests.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>

#include "pipelines/job/queue/hand_over.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class HandOverTest : public testing::Test {
 protected:
  fs::path socket() const { return folder_ / "queue.sqlite.sock"; }
  static Result<json> echo(const json& request) { return json{{"heard", request["request"]}}; }

  // A peer that says what it likes.
  int raw_peer() const {
    sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(name.sun_path, socket().c_str(), sizeof name.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    return fd;
  }
  static std::string said_to(int fd, std::string_view bytes) {
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
    ::shutdown(fd, SHUT_WR);
    std::string answer(4096, '\0');
    const auto got = ::recv(fd, answer.data(), answer.size(), MSG_WAITALL);
    ::close(fd);
    return answer.substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  static std::string framed(std::string_view text) {
    std::string frame(4, '\0');
    for (unsigned i = 0; i < 4; ++i) frame[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
    return frame + std::string(text);
  }
  test::TempFolder folder_;
};

TEST_F(HandOverTest, ARequestGetsItsAnswer) {
  {
    const auto server = HandOverServer::listen(socket(), echo);
    ASSERT_TRUE(server) << server.error().message;
    struct stat state{};
    ASSERT_EQ(::stat(socket().c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0600u);
    for (int i = 0; i < 3; ++i) {
      const auto answer = hand_over(socket(), {{"request", "pause"}});
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ((*answer)["heard"], "pause");
    }
  }
  EXPECT_FALSE(fs::exists(socket()));
  const auto nobody = hand_over(socket(), {{"request", "pause"}});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::Locked);
}

TEST_F(HandOverTest, ALongPathAndALargeRequestDoNoHarm) {
  const auto deep = folder_.path() / std::string(120, 'd') / std::string(120, 'e');
  fs::create_directories(deep);
  const auto server = HandOverServer::listen(deep / "queue.sqlite.sock", [](const json& request) -> Result<json> {
    return json{{"size", request["text"].size()}};
  });
  ASSERT_TRUE(server) << server.error().message;
  json request{{"request", "add"}, {"text", json::array()}};
  for (int i = 0; i < 50'000; ++i) request["text"].push_back("a job of some length, again and again");
  const auto answer = hand_over(deep / "queue.sqlite.sock", request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ((*answer)["size"], 50'000);
}

TEST_F(HandOverTest, AnErrorComesBackAsOne) {
  const auto server = HandOverServer::listen(socket(), [](const json& request) -> Result<json> {
    if (request["request"] == "throw") throw std::runtime_error("odd");
    return Error{ErrorCode::JobInvalid, "no such job"};
  });
  ASSERT_TRUE(server);
  const auto refused = hand_over(socket(), {{"request", "cancel"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::JobInvalid);
  EXPECT_EQ(refused.error().message, "no such job");
  EXPECT_FALSE(hand_over(socket(), {{"request", "throw"}}));
}

TEST_F(HandOverTest, NonsenseIsRefusedAndTheNextPeerIsServed) {
  const auto server = HandOverServer::listen(socket(), echo);
  ASSERT_TRUE(server);
  EXPECT_THAT(said_to(raw_peer(), "\xFF\xFF\xFF\xFF"), HasSubstr("too large"));
  EXPECT_THAT(said_to(raw_peer(), framed("[1]")), HasSubstr("not an object"));
  EXPECT_THAT(said_to(raw_peer(), framed("{\"a\":1,\"a\":2}")), HasSubstr("error"));
  EXPECT_THAT(said_to(raw_peer(), framed(R"({"version":2,"request":"pause"})")), HasSubstr("speaks version 1"));
  EXPECT_THAT(said_to(raw_peer(), framed(R"({"version":1})")), HasSubstr("does not say what it wants"));
  EXPECT_THAT(said_to(raw_peer(), framed(R"({"version":1,"request":"pause"})").substr(0, 12)),
              HasSubstr("in the middle"));
  EXPECT_THAT(said_to(raw_peer(), framed(std::string(2'000, '['))), HasSubstr("error"));
  ::close(raw_peer());
  EXPECT_TRUE(hand_over(socket(), {{"request", "pause"}}));
}

TEST_F(HandOverTest, WhatAKilledHolderLeftIsReplaced) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(name.sun_path, socket().c_str(), sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ::close(fd);
  ASSERT_TRUE(fs::exists(socket()));
  const auto server = HandOverServer::listen(socket(), echo);
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_TRUE(hand_over(socket(), {{"request", "pause"}}));
}

class QueueRequestsTest : public testing::Test {
 protected:
  Result<json> ask(const json& request) {
    notes_.clear();
    return ask_queue(folder_.path(), request, notes_);
  }
  static json two_jobs() {
    return {{"request", "add"},
            {"batch", "shots.csv"},
            {"jobs",
             {{{"name", "ring"}, {"spec", {{"prompt", "a ring"}}}},
              {{"name", "cube"}, {"spec", {{"prompt", "a cube"}}}, {"after", {"ring"}}, {"priority", 2}}}}};
  }
  QueueStore look() const { return std::move(*QueueStore::open(queue_file(folder_.path()), QueueMode::Read)); }
  test::TempFolder folder_;
  std::vector<std::string> notes_;
};

TEST_F(QueueRequestsTest, AddsJobsThatWaitForEachOtherByName) {
  const auto answer = ask(two_jobs());
  ASSERT_TRUE(answer) << answer.error().message;
  const auto ids = (*answer)["ids"].get<std::vector<std::string>>();
  ASSERT_EQ(ids.size(), 2u);
  const auto store = look();
  EXPECT_EQ(store.status(ids[0]), "queued");
  EXPECT_EQ(store.status(ids[1]), "blocked");
  const auto cube = store.find(ids[1]).value();
  EXPECT_THAT(cube->after, ElementsAre(ids[0]));
  EXPECT_EQ(cube->reason, "waits for ring");
  EXPECT_EQ(cube->batch, "shots.csv");
  EXPECT_EQ(cube->priority, 2);
}

TEST_F(QueueRequestsTest, ChangesJobsByTheLastLettersOfTheirIds) {
  const auto ids = ask(two_jobs()).value()["ids"].get<std::vector<std::string>>();
  const auto tail = ids[0].substr(20);
  ASSERT_TRUE(ask({{"request", "cancel"}, {"ids", {tail}}}));
  EXPECT_EQ(look().status(ids[0]), "cancelled");
  ASSERT_TRUE(ask({{"request", "retry"}, {"ids", {tail}}}));
  EXPECT_EQ(look().status(ids[0]), "queued");
  ASSERT_TRUE(ask({{"request", "move"}, {"id", tail}, {"to", "before"}, {"other", ids[1]}}));
  EXPECT_EQ(look().list().value().front().id, ids[0]);
  ASSERT_TRUE(ask({{"request", "pause"}}));
  EXPECT_TRUE(look().paused().value());
  ASSERT_TRUE(ask({{"request", "resume"}}));
  EXPECT_FALSE(look().paused().value());
}

TEST_F(QueueRequestsTest, WhatIsWrongIsSaidAndNothingHappens) {
  const auto ids = ask(two_jobs()).value()["ids"].get<std::vector<std::string>>();
  const auto message = [&](const json& request) {
    const auto answer = ask(request);
    EXPECT_FALSE(answer);
    return answer ? "" : answer.error().message;
  };
  EXPECT_THAT(message({{"request", "canel"}}), HasSubstr("did you mean 'cancel'?"));
  EXPECT_THAT(message({{"request", "cancel"}, {"ids", {ids[0], "nothing"}}}), HasSubstr("'nothing'"));
  EXPECT_EQ(look().status(ids[0]), "queued") << "all or nothing";
  EXPECT_THAT(message({{"request", "cancel"}}), HasSubstr("no job is named"));
  EXPECT_THAT(message({{"request", "cancel"}, {"ids", 3}}), HasSubstr("not a list"));
  EXPECT_THAT(message({{"request", "move"}, {"id", ids[0]}, {"to", "up"}}), HasSubstr("not 'up'"));
  EXPECT_THAT(message({{"request", "add"}, {"jobs", {{{"spec", "text"}}}}}), HasSubstr("'spec'"));
  EXPECT_THAT(message({{"request", "add"}, {"jobs", {{{"spec", json::object()}, {"after", {"rign"}}}}}}),
              HasSubstr("not in the queue"));
  EXPECT_THAT(message({{"request", "retry"}, {"ids", {ids[0]}}}), HasSubstr("is queued; only a failed"));
}

TEST_F(QueueRequestsTest, TheInstanceThatHoldsTheQueueIsAsked) {
  auto store = QueueStore::open(queue_file(folder_.path()), QueueMode::Write, {.program = "rubato-gui"});
  ASSERT_TRUE(store);
  std::vector<std::string> stopped;
  const auto server = HandOverServer::listen(queue_socket(folder_.path()), [&](const json& request) {
    return answer_queue_request(*store, request, {.stop_running = [&](const std::string& id) -> Result<> {
      stopped.push_back(id);
      return {};
    }});
  });
  ASSERT_TRUE(server);
  const auto answer = ask(two_jobs());
  ASSERT_TRUE(answer) << answer.error().message;
  const auto id = (*answer)["ids"][0].get<std::string>();
  ASSERT_TRUE(store->started(id, "cpu", "1"));
  ASSERT_TRUE(ask({{"request", "cancel"}, {"ids", {id}}}));
  EXPECT_THAT(stopped, ElementsAre(id));
  EXPECT_EQ(store->status(id), "cancelled");
  EXPECT_THAT(ask({{"request", "move"}, {"id", "zzz"}, {"to", "first"}}).error().message, HasSubstr("no job 'zzz'"));
}

TEST_F(QueueRequestsTest, AHolderThatTakesNoRequestsIsNamed) {
  const auto store = QueueStore::open(queue_file(folder_.path()), QueueMode::Write, {.program = "rubato-gui"});
  const auto answer = ask({{"request", "pause"}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Locked);
  EXPECT_THAT(answer.error().message, HasSubstr(fmt::format("rubato-gui (process {}", ::getpid())));
}

}  // namespace
}  // namespace rubato
