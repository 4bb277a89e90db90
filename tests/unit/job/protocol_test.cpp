#include "pipelines/job/protocol.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "pipelines/job/channel.h"
#include "pipelines/job/events.h"
#include "tests/unit/job/schema_validator.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
namespace p = protocol;

std::vector<p::Message> one_of_each() {
  return {p::Hello{1, {{"cpu", "CPU", 1u << 30}, {"cuda:0", "GPU", 80ull << 30}}},
          p::Run{"j", {{"prompt", "x"}}},
          p::Run{"j", {{"prompt", "x"}}, {"ab12", {{"denoise", 2.5}, {"decode", 1}}}},
          p::Cancel{"j", p::CancelWhen::AfterStep},
          p::Cancel{"j", p::CancelWhen::Now},
          p::Quit{},
          p::Accepted{"j"},
          p::Phase{"j", "denoise", 30},
          p::Progress{"j", "denoise", 3, 30, 0.25, 12.5, 10, 15},
          p::Progress{"j", "load", 0, 1, 0},
          p::Preview{"j", 4, 64, 48, 2},
          p::Token{"j", "he"},
          p::Metric{"j", "vram_mb", 17.5},
          p::Warn{"j", "prompt_cut", "the end is cut: …"},
          p::Checkpoint{"j", 10, "out.partial"},
          p::Done{"j", {{"a.mp4", "video", 9, std::string(64, 'a')}, {"b.st", "latents", 1, ""}}, {{"seconds", 1.5}}},
          p::Failed{"j", ErrorCode::OutOfMemory, "not enough memory", "a.partial"},
          p::Heartbeat{}};
}

std::string refusal(const std::string& text) {
  const auto decoded = p::decode(text);
  EXPECT_FALSE(decoded.ok()) << text;
  if (decoded.ok()) return "";
  EXPECT_EQ(decoded.error().code, ErrorCode::Corrupt);
  return decoded.error().message;
}

TEST(Protocol, EveryMessageSurvives) {
  const auto messages = one_of_each();
  std::set<std::size_t> kinds;
  for (const auto& message : messages) {
    kinds.insert(message.index());
    const auto decoded = p::decode(p::encode(message));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_TRUE(decoded->message.has_value());
    EXPECT_EQ(*decoded->message, message) << p::encode(message);
    EXPECT_EQ(decoded->memfd, p::carries_memfd(message));
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<p::Message>);
}

TEST(Protocol, SpellingIsFixed) {
  EXPECT_EQ(p::encode(p::Cancel{"j", p::CancelWhen::AfterStep}), R"({"id":"j","type":"cancel","when":"after_step"})");
  EXPECT_EQ(p::encode(p::Hello{}), R"({"type":"hello","version":1})");
  EXPECT_EQ(p::encode(p::Progress{"j", "load", 0, 1, 0}),
            R"({"done":0,"fraction":0.0,"id":"j","phase":"load","total":1,"type":"progress"})");
  EXPECT_EQ(p::encode(p::Preview{"j", 4, 64, 48, 2}),
            R"({"frames":2,"height":48,"id":"j","memfd":18432,"step":4,"type":"preview","width":64})");
  EXPECT_EQ(p::encode(p::Failed{"j", ErrorCode::EngineDied, "m", ""}),
            R"({"code":"engine_died","id":"j","message":"m","type":"failed"})");
}

TEST(Protocol, UnknownTypesAndKeysPass) {
  const auto unknown = p::decode(R"({"type":"telepathy"})");
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(unknown->message.has_value());
  EXPECT_TRUE(p::decode(R"({"type":"telepathy","memfd":5})")->memfd);
  EXPECT_TRUE(p::decode(R"({"type":"accepted","id":"j","mood":[1]})")->message.has_value());
}

TEST(Protocol, WrongMembersAreRefusedWithASentence) {
  EXPECT_THAT(refusal(""), HasSubstr("a message"));
  EXPECT_THAT(refusal("[]"), HasSubstr("no type"));
  EXPECT_THAT(refusal(R"({"type":5})"), HasSubstr("no type"));
  EXPECT_EQ(refusal(R"({"type":"accepted"})"), "the message 'accepted' is damaged: its 'id' is missing");
  EXPECT_THAT(refusal(R"({"type":"accepted","id":5})"), HasSubstr("'id' is not text"));
  EXPECT_THAT(refusal(R"({"type":"phase","id":"j","name":"load","total":-1})"),
              HasSubstr("'total' is not a whole number"));
  EXPECT_THAT(refusal(R"({"type":"hello","version":4294967296})"), HasSubstr("'version'"));
  EXPECT_THAT(refusal(R"({"type":"hello","version":1,"devices":[5]})"), HasSubstr("'devices'"));
  EXPECT_THAT(refusal(R"({"type":"cancel","id":"j","when":"later"})"), HasSubstr("'when'"));
  EXPECT_THAT(refusal(R"({"type":"run","id":"j","job":"x"})"), HasSubstr("'job' is not an object"));
  EXPECT_THAT(refusal(R"({"type":"progress","id":"j","phase":"x","done":1,"total":2,"fraction":1.5})"),
              HasSubstr("'fraction'"));
  EXPECT_THAT(refusal(R"({"type":"progress","id":"j","phase":"x","done":1,"total":2,"fraction":null})"),
              HasSubstr("'fraction'"));
  EXPECT_THAT(refusal(R"({"type":"preview","id":"j","step":1,"width":99999,"height":1,"frames":1,"memfd":3})"),
              HasSubstr("'width'"));
  EXPECT_THAT(refusal(R"({"type":"preview","id":"j","step":1,"width":2,"height":2,"frames":1,"memfd":3})"),
              HasSubstr("'memfd'"));
  EXPECT_THAT(refusal(R"({"type":"preview","id":"j","step":1,"width":2,"height":2,"frames":1})"), HasSubstr("'memfd'"));
  EXPECT_THAT(refusal(R"({"type":"accepted","id":"j","id":"k"})"), HasSubstr("twice"));
}

TEST(Protocol, NumbersWithoutAValueTravel) {
  const auto decoded = p::decode(p::encode(p::Metric{"j", "loss", NAN}));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_TRUE(std::isnan(std::get<p::Metric>(*decoded->message).value));
}

TEST(Protocol, InvalidUtf8IsReplaced) {
  const auto decoded = p::decode(p::encode(p::Warn{"j", "c", "a\xff"}));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<p::Warn>(*decoded->message).message, "a\xEF\xBF\xBD");
}

// ---- Frames ------------------------------------------------------------------------------------------------------

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(FrameDecoder, AnyCutGivesTheSameFrames) {
  const std::string stream =
      std::string("\x03\0\0\0abc", 7) + std::string("\0\0\0\0", 4) + std::string("\x02\0\0\0de", 6);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    FrameDecoder decoder;
    std::vector<std::string> frames;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      decoder.feed(bytes_of(std::string_view(stream).substr(at, step)));
      for (auto frame = decoder.next(); frame.ok() && frame->has_value(); frame = decoder.next())
        frames.push_back(**frame);
    }
    EXPECT_THAT(frames, testing::ElementsAre("abc", "", "de")) << step;
  }
}

TEST(FrameDecoder, TooLongALengthIsRefusedBeforeItsBytesCome) {
  FrameDecoder decoder;
  decoder.feed(bytes_of(std::string_view("\x01\0\x80\0", 4)));  // 8 MiB + 1
  ASSERT_FALSE(decoder.next().ok());
  EXPECT_EQ(decoder.next().error().code, ErrorCode::Corrupt);
}

// ---- Channel -----------------------------------------------------------------------------------------------------

struct Pair {
  Channel a, b;
};
Pair make_pair() {
  auto pair = Channel::make_pair();
  EXPECT_TRUE(pair.ok());
  return {std::move(pair->first), std::move(pair->second)};
}

TEST(Channel, MessagesArriveInOrder) {
  auto [a, b] = make_pair();
  for (const auto& message : one_of_each()) {
    if (p::carries_memfd(message)) continue;
    ASSERT_TRUE(a.send(message).ok());
  }
  for (const auto& message : one_of_each()) {
    if (p::carries_memfd(message)) continue;
    const auto got = b.receive(1s);
    ASSERT_TRUE(got.ok() && got->has_value());
    EXPECT_EQ((*got)->message, message);
  }
  EXPECT_FALSE(b.receive(0ms)->has_value());
}

TEST(Channel, LargeMessageCrossesInPieces) {
  auto [a, b] = make_pair();
  json job = json::object();
  for (int i = 0; i < 100; ++i) job["text" + std::to_string(i)] = std::string(60'000, static_cast<char>('a' + i % 26));
  const p::Run run{.id = "j", .job = job};
  std::thread sender([&, &from = a] { EXPECT_TRUE(from.send(run).ok()); });
  const auto got = b.receive(10s);
  sender.join();
  ASSERT_TRUE(got.ok() && got->has_value());
  EXPECT_EQ((*got)->message, p::Message(run));
}

TEST(Channel, TooLongAMessageIsRefusedAndTheNextIsFine) {
  auto [a, b] = make_pair();
  const auto sent = a.send(p::Run{.id = "j", .job = {{"x", std::string(p::kMaxFrame, 'x')}}});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::JobInvalid);
  EXPECT_TRUE(a.send(p::Quit{}).ok());
  EXPECT_TRUE(b.receive(1s)->has_value());
}

TEST(Channel, SenderDoesNotWaitForEverForADeafPeer) {
  auto [a, b] = make_pair();
  const p::Token token{"j", std::string(60'000, 'x')};
  Result<> sent;
  for (int i = 0; i < 1000 && sent.ok(); ++i) sent = a.send(token, -1, 20ms);
  ASSERT_FALSE(sent.ok());
  EXPECT_THAT(sent.error().message, HasSubstr("takes no messages"));
  EXPECT_FALSE(a.send(p::Quit{}).ok());  // the stream is out of step
}

TEST(Channel, LastWordsOfADeadPeerAreHeard) {
  auto [a, b] = make_pair();
  ASSERT_TRUE(a.send(p::Accepted{"j"}).ok());
  {
    const Channel gone = std::move(a);
  }
  EXPECT_TRUE(b.receive(1s)->has_value());
  const auto end = b.receive(1s);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::EngineDied);
  EXPECT_EQ(b.send(p::Quit{}).error().code, ErrorCode::EngineDied);
}

TEST(Channel, ManyThreadsMaySend) {
  auto [a, b] = make_pair();
  constexpr int kThreads = 4, kEach = 500;
  std::vector<std::thread> senders;
  for (int t = 0; t < kThreads; ++t)
    senders.emplace_back([&from = a, t] {
      for (int i = 0; i < kEach; ++i)
        (void)from.send(p::Token{std::to_string(t), std::string(static_cast<std::size_t>(i % 300), 'x')});
    });
  std::map<std::string, int> counts;
  for (int i = 0; i < kThreads * kEach; ++i) {
    const auto got = b.receive(5s);
    ASSERT_TRUE(got.ok() && got->has_value());
    ++counts[std::string(p::job_id((*got)->message))];
  }
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(counts, (std::map<std::string, int>{{"0", kEach}, {"1", kEach}, {"2", kEach}, {"3", kEach}}));
}

TEST(Channel, MemfdsStayWithTheirMessages) {
  auto [a, b] = make_pair();
  for (int i = 1; i <= 8; ++i) {
    const std::vector<std::byte> picture(static_cast<std::size_t>(3 * i), static_cast<std::byte>(i));
    const auto fd = make_memfd(picture);
    ASSERT_TRUE(fd.ok());
    ASSERT_TRUE(a.send(p::Phase{"j", "x", i}).ok());
    ASSERT_TRUE(a.send(p::Preview{"j", i, i, 1, 1}, fd->get()).ok());
  }
  for (int i = 1; i <= 8; ++i) {
    EXPECT_FALSE((*b.receive(1s))->fd);
    const auto got = b.receive(1s);
    ASSERT_TRUE(got.ok() && got->has_value());
    const auto mapped = MappedMemfd::map((*got)->fd.get(), std::get<p::Preview>((*got)->message).bytes());
    ASSERT_TRUE(mapped.ok()) << mapped.error().message;
    EXPECT_EQ(mapped->bytes().size(), static_cast<std::size_t>(3 * i));
    EXPECT_EQ(mapped->bytes()[0], static_cast<std::byte>(i));
  }
}

TEST(Channel, AnnouncedMemfdThatIsMissingIsRefused) {
  auto [a, b] = make_pair();
  ASSERT_TRUE(a.send(p::Preview{"j", 1, 1, 1, 1}).ok());
  EXPECT_EQ(b.receive(1s).error().code, ErrorCode::Corrupt);
}

TEST(Channel, HeapOfUnannouncedFilesIsRefused) {
  auto [a, b] = make_pair();
  const auto fd = make_memfd(bytes_of("x"));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(a.send(p::Heartbeat{}, fd->get()).ok());
  Result<std::optional<Envelope>> got = std::optional<Envelope>{};
  for (int i = 0; i < 50 && got.ok(); ++i) got = b.receive(10ms);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::Corrupt);
}

TEST(Memfd, OnlySealedOnesOfTheRightSizeAreMapped) {
  const auto good = make_memfd(bytes_of("abc"));
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(MappedMemfd::map(good->get(), 3).ok());
  EXPECT_THAT(MappedMemfd::map(good->get(), 4).error().message, HasSubstr("has 3 bytes where 4"));
  EXPECT_FALSE(MappedMemfd::map(good->get(), 0).ok());
  EXPECT_EQ(::write(good->get(), "x", 1), -1);
  const UniqueFd open(::memfd_create("open", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  ASSERT_EQ(::write(open.get(), "abc", 3), 3);
  EXPECT_THAT(MappedMemfd::map(open.get(), 3).error().message, HasSubstr("not sealed"));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd read_end(ends[0]), write_end(ends[1]);
  EXPECT_THAT(MappedMemfd::map(read_end.get(), 3).error().message, HasSubstr("not sealed"));
}

// ---- Events ------------------------------------------------------------------------------------------------------

json event_schema() {
  std::ifstream file(RUBATO_RESOURCES "/schemas/events.schema.json");
  return json::parse(file);
}

TEST(Events, EveryMessageFitsThePublishedSchema) {
  const json schema = event_schema();
  std::set<std::string> names;
  for (const auto& message : one_of_each())
    for (const auto& event : to_events(message)) {
      EXPECT_EQ(test::schema_fault(schema, event), "") << event.dump();
      names.insert(event["ev"]);
    }
  for (const auto& event :
       {make_event("hello", {{"version", "1"}, {"revision", "abc"}}),
        make_event("plan", {{"jobs", json::array({{{"prompt", "x"}}})}}), make_event("bye", {{"code", 0}}),
        make_event("job.start", {{"job", "j"}, {"device", "cuda:0"}, {"attempt", 2}}),
        make_event("job.fail",
                   {{"job", "j"}, {"state", "suspended"}, {"code", "engine_died"}, {"exit", 7}, {"message", ""}}),
        make_event("run.note", {{"message", "the disk is nearly full"}}),
        make_event("queue.done", {{"states", {{"done", 3}, {"failed", 0}}}, {"seconds", 12.5}}),
        make_event("bye", {{"code", 7}, {"error", "engine_died"}, {"message", "m"}})}) {
    EXPECT_EQ(test::schema_fault(schema, event), "");
    names.insert(event["ev"]);
  }
  EXPECT_THAT(names,
              testing::ElementsAre("bye", "hello", "job.done", "job.fail", "job.output", "job.phase", "job.preview",
                                   "job.progress", "job.start", "job.warn", "plan", "queue.done", "run.note"));
  EXPECT_EQ(schema["oneOf"].size(), names.size());
}

TEST(Events, WhatIsNoEventDoesNotFitTheSchema) {
  const json schema = event_schema();
  for (const auto& wrong :
       {make_event("queue.done", {{"states", {{"done", -1}}}, {"seconds", 1}}), make_event("queue.done"),
        make_event("job.start", {{"job", "j"}, {"attempt", 0}}), make_event("job.stop", {{"job", "j"}}),
        make_event("job.fail", {{"job", "j"}, {"state", "done"}, {"code", "x"}, {"exit", 7}, {"message", ""}}),
        json{{"ev", "bye"}, {"code", 0}}})
    EXPECT_NE(test::schema_fault(schema, wrong), "") << wrong.dump();
}

TEST(Events, MembersAreRenamed) {
  auto event = to_events(p::Progress{"j", "denoise", 12, 50, 0.31, 148, 139, 160}).at(0);
  event.erase("t");
  EXPECT_EQ(
      event,
      json::parse(
          R"({"v":1,"ev":"job.progress","job":"j","phase":"denoise","i":12,"n":50,"frac":0.31,"eta_s":148.0,"eta_lo":139.0,"eta_hi":160.0})"));
  const auto unknown_eta = to_events(p::Progress{"j", "load", 0, 1, 0}).at(0);
  EXPECT_FALSE(unknown_eta.contains("eta_s"));
  const auto done = to_events(p::Done{"j", {{"a", "video", 1, ""}, {"b", "trace", 2, ""}}, json::object()});
  ASSERT_EQ(done.size(), 3u);
  EXPECT_EQ(done[1]["path"], "b");
  EXPECT_EQ(done[2]["ev"], "job.done");
  const auto fail = to_events(p::Failed{"j", ErrorCode::EngineDied, "m", "k"}).at(0);
  EXPECT_EQ(fail["exit"], 7);
  EXPECT_TRUE(to_events(p::Heartbeat{}).empty());
  EXPECT_TRUE(to_events(p::Hello{}).empty());
}

}  // namespace
}  // namespace rubato
