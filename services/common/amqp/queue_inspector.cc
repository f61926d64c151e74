#include "services/common/amqp/queue_inspector.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/amqp/connection.h"
#include "services/common/amqp/io_thread.h"

namespace unbraid::amqp {
namespace {

absl::Status Stopped() { return absl::CancelledError("the queue inspector has been stopped"); }

}  // namespace

QueueInspector::QueueInspector(const ConnectionOptions& options) {
  IoThread::Callbacks callbacks;
  callbacks.connected = [this](Connection*) {
    absl::MutexLock lock(&mutex_);
    unreachable_ = absl::OkStatus();
    return absl::OkStatus();
  };
  callbacks.work = [this](Connection* connection) { return Work(connection); };
  callbacks.disconnected = [this](const absl::Status& reason) {
    const absl::Status why = absl::UnavailableError(reason.message());
    {
      absl::MutexLock lock(&mutex_);
      unreachable_ = why;
    }
    AnswerAll(why);
  };
  io_ = std::make_unique<IoThread>(options, std::move(callbacks));
  io_->Start();
}

QueueInspector::~QueueInspector() { Stop(); }

absl::StatusOr<QueueDepth> QueueInspector::Inspect(const std::string& queue,
                                                   absl::Duration timeout) {
  auto question = std::make_shared<Question>();  // outlives this call when the time is up
  question->queue = queue;
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return Stopped();
    if (!unreachable_.ok()) return unreachable_;
    questions_.push_back(question);
  }
  io_->Wake();
  absl::MutexLock lock(&mutex_);
  if (mutex_.AwaitWithTimeout(absl::Condition(&question->answered), timeout)) {
    return question->answer;
  }
  return absl::DeadlineExceededError(
      absl::StrCat("the broker has not told the depth of ", queue, " in time"));
}

absl::StatusOr<absl::Duration> QueueInspector::Work(Connection* connection) {
  while (true) {
    std::shared_ptr<Question> question;
    {
      absl::MutexLock lock(&mutex_);
      if (questions_.empty()) return absl::InfiniteDuration();
      question = questions_.front();
      questions_.erase(questions_.begin());
    }
    const absl::StatusOr<Connection::QueueCounts> counts = connection->QueueSize(question->queue);
    if (counts.ok()) {
      Answer(question, QueueDepth{counts->ready, counts->consumers});
      continue;
    }
    Answer(question, counts.status());
    if (!absl::IsNotFound(counts.status())) return counts.status();
  }
}

void QueueInspector::Answer(const std::shared_ptr<Question>& question,
                            absl::StatusOr<QueueDepth> answer) {
  absl::MutexLock lock(&mutex_);
  question->answer = std::move(answer);
  question->answered = true;
}

void QueueInspector::AnswerAll(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  for (const std::shared_ptr<Question>& question : questions_) {
    question->answer = why;
    question->answered = true;
  }
  questions_.clear();
}

ConnectionState QueueInspector::state() const { return io_->state(); }

void QueueInspector::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  AnswerAll(Stopped());
  io_->Stop();
}

}  // namespace unbraid::amqp
