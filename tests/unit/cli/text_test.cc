#include <catch2/catch.hpp>

#include "clients/cli/commands.h"
#include "clients/cli/progress_view.h"
#include "clients/cli/text_format.h"
#include "clients/cli/upload.h"

namespace unbraid::cli {
namespace {

TEST_CASE("writes sizes and times as people read them") {
  CHECK(FormatBytes(999) == "999 B");
  CHECK(FormatBytes(4'200'000) == "4.2 MB");
  CHECK(FormatClock(187) == "3:07");
  CHECK(FormatClock(3723) == "1:02:03");
}

TEST_CASE("a label stays valid UTF-8 of at most 255 bytes whatever the file is called (case 31)") {
  CHECK(LabelOf("/music/04 絆ふぉーえばー.mp3") == "04 絆ふぉーえばー.mp3");
  CHECK(LabelOf("../../x") == "x");
  CHECK(LabelOf("a\xFF\xFEz.wav") == "a\uFFFD\uFFFDz.wav");
  const std::string label =
      LabelOf(std::string(200, 'x') + "ééééééééééééééééééééééééééééééééé.wav");
  CHECK(label.size() <= 255);
  CHECK(LabelOf(label) == label);
}

TEST_CASE("a label with control characters cannot play tricks on the terminal (case 31)") {
  v1::Track track;
  track.set_display_name("a\nb\x1B[2Jc\xC2\x9B");
  for (const char* trick : {"\n", "\x1B", "\x9B"}) {
    CHECK(DescribeTrack(track).find(trick) == std::string::npos);
  }
}

TEST_CASE("the default folder is named after the song and stays in the working folder (case 31)") {
  CHECK(DefaultOutputFolder("/a/b/song.ogg") == "./song");
  CHECK(DefaultOutputFolder("..") == "stems");
  CHECK(DefaultOutputFolder("x\ny.wav") == "./x_y");
}

TEST_CASE("the bar never reaches the last column, and shows what it waits for") {
  ProgressState state;
  state.stage = "Separating";
  state.percent = 50;
  state.details = "chunk 21/47";
  const std::string bar = DrawBar(state, 200);
  CHECK_THAT(bar, Catch::Contains("############------------"));
  CHECK_THAT(bar, Catch::Contains("50.0 %"));
  CHECK_THAT(bar, Catch::Contains("chunk 21/47"));
  CHECK(DrawBar(state, 40).size() == 39);
  state.notice = "no worker is connected";
  CHECK_THAT(DrawBar(state, 200), Catch::Contains("no worker is connected"));
}

TEST_CASE("a separation is shown with its passes") {
  v1::Separation separation;
  CHECK_THAT(Describe(separation), !Catch::Contains("pass"));
  separation.set_shifts(3);
  separation.set_shift_seed(-7);
  CHECK_THAT(Describe(separation), Catch::Contains("\n  mean of 3 passes, shift seed -7\n"));
}

TEST_CASE("a separation is shown with its residual") {
  v1::Separation separation;
  separation.add_stems("vocals");
  CHECK_THAT(Describe(separation), !Catch::Contains("residual"));
  separation.set_residual(true);
  CHECK_THAT(Describe(separation), Catch::Contains("stems vocals, residual\n"));
}

TEST_CASE("a separation tells what was done about levels, if anything") {
  v1::Separation separation;
  CHECK_THAT(Describe(separation), !Catch::Contains("clipping") && !Catch::Contains("full scale"));
  separation.set_gain_db(-1.5);
  separation.set_clipped_samples(17);
  CHECK_THAT(Describe(separation), Catch::Contains("turned down by 1.50 dB against clipping\n"));
  CHECK_THAT(Describe(separation),
             Catch::Contains("  17 samples were beyond full scale and are limited to it\n"));
}

TEST_CASE("what goes by itself is shown with its time") {
  v1::Track track;
  v1::Separation separation;
  CHECK_THAT(Describe(track) + Describe(separation), !Catch::Contains("kept"));
  track.mutable_expire_time()->set_seconds(1'764'000'000);
  separation.mutable_expire_time()->set_seconds(1'764'000'060);
  CHECK_THAT(Describe(track), Catch::Contains("  kept until 2025-11-24 16:00 UTC if not used\n"));
  CHECK_THAT(Describe(separation),
             Catch::Contains("  kept until 2025-11-24 16:01 UTC if not used\n"));
}

TEST_CASE("the server's information tells how long things are kept") {
  v1::ServerInfo info;
  v1::Limits* limits = info.mutable_limits();
  limits->mutable_separation_retention()->set_seconds(7 * 24 * 3600);
  limits->mutable_upload_retention()->set_seconds(5400);
  CHECK_THAT(Describe(info),
             Catch::Contains("Kept after the last use: tracks for ever, separations 7d, "
                             "unfinished uploads 1h30m\n"));
  limits->set_owner_quota_bytes(2'000'000);
  CHECK_THAT(Describe(info), Catch::Contains("; at most 2.0 MB of tracks and uploads\n"));
}

TEST_CASE("progress tells chunks, speed and time left") {
  v1::Separation separation;
  separation.set_state(v1::Separation::STATE_SEPARATING);
  separation.mutable_progress()->set_percent(45);
  separation.mutable_progress()->set_chunks_total(47);
  separation.mutable_progress()->set_chunks_done(21);
  separation.mutable_progress()->set_speed(12.34);
  separation.mutable_progress()->mutable_remaining()->set_seconds(21);
  const ProgressState state = SeparationState(separation);
  CHECK(state.stage == "Separating");
  CHECK(state.details == "chunk 21/47, 12.3 x real time, 0:21 left");
}

}  // namespace
}  // namespace unbraid::cli
