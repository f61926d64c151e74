#ifndef UNBRAID_SERVICES_ASSEMBLER_RESULT_CONSUMER_H_
#define UNBRAID_SERVICES_ASSEMBLER_RESULT_CONSUMER_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "services/assembler/engine.h"
#include "services/common/amqp/consumer.h"
#include "services/common/base/bounded_queue.h"
#include "services/common/base/executor.h"
#include "services/common/base/steady.h"

namespace unbraid::assembler {

// Takes results from the assembler's queue to the engine, as many at once as have come, and
// acknowledges each when the engine has it safely. What the engine leaves, since its neighbours may
// be on their way, is held in memory for a moment, and half the prefetch at most; then the engine
// must store it. At-least-once: a duplicate is ignored by the engine. What is no result is logged
// and dropped, since it never can become one. While the disk is full nothing is acknowledged, so
// the broker keeps the results.
class ResultConsumer {
 public:
  // `engine` is only used on `executor`. `objects`: where samples lie that do not come with their
  // result; null: nowhere. Nothing is owned.
  ResultConsumer(const amqp::ConnectionOptions& broker, const std::string& name, Engine* engine,
                 base::Executor* executor, const store::ObjectFolder* objects);
  ~ResultConsumer();

  amqp::ConnectionState state() const { return consumer_->state(); }
  bool consuming() const { return consumer_->consuming(); }

  // Takes no more results, finishes those at hand. May be called twice.
  void Stop();

 private:
  // What was delivered, and can be acknowledged by its tag.
  struct Arrival {
    Result result;
    amqp::DeliveryTag tag;
    absl::Time came;
  };

  // Parses deliveries, one after the other, while the engine works.
  void Parse();
  // Takes what is parsed to the engine.
  void Run();
  // Waits for what comes next, and takes all that has come. False: there will be no more.
  bool TakeArrivals();
  // Offers what is held, and lets go of what was taken.
  absl::Status Deliver(bool all);
  // The oldest of what is held has waited for long enough, or there is too much.
  bool MustStore() const;
  absl::Duration HeldFor() const;
  void AfterFailure(const absl::Status& status);

  Engine* const engine_;
  base::Executor* const executor_;
  const store::ObjectFolder* const objects_;
  base::BoundedQueue<amqp::Delivery> deliveries_;
  base::BoundedQueue<Arrival> parsed_;

  // Touched by Run() alone: what the engine has not taken yet, in order of arrival.
  struct Held {
    amqp::DeliveryTag tag;
    absl::Time came;
    std::string object;  // its samples, if they lay beside it
  };
  std::vector<Engine::Offer> offers_;
  std::vector<Held> held_;  // of the offers

  base::StopSignal stopping_;

  std::unique_ptr<amqp::Consumer> consumer_;
  std::thread parser_;
  std::thread thread_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_RESULT_CONSUMER_H_
