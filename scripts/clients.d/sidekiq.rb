# Sidekiq with its default settings: jobs, many at once, one for later, one that fails at first, and its own statistics. Over shards
# a namespace gives all keys one hash tag.
require 'sidekiq'
require 'sidekiq/api'
Redis.silence_deprecations = true

port, kind = ENV['CLIENTS_PORT'] || ARGV[0], ENV['CLIENTS_KIND'] || ARGV[1]
options = { url: "redis://127.0.0.1:#{port}/0" }
options[:namespace] = '{sidekiq}' if kind != 'single'
Sidekiq.configure_client { |c| c.redis = options }
Sidekiq.configure_server do |c|
  c.redis = options
  c.average_scheduled_poll_interval = 1
end

class Adds
  include Sidekiq::Worker
  sidekiq_retry_in { 1 }

  def perform(n, fails)
    Sidekiq.redis { |r| raise 'the first time' if fails && r.incr('failures') == 1 }
    Sidekiq.redis { |r| r.incrby('sum', n) }
  end
end

if $PROGRAM_NAME == __FILE__
  Redis.new(port: port).flushall
  100.times { |n| Adds.perform_async(n, false) }
  Adds.perform_bulk((0...100).map { |n| [n, false] })
  Adds.perform_in(1, 1000, false)
  Adds.perform_async(10_000, true)
  env = { 'CLIENTS_PORT' => port, 'CLIENTS_KIND' => kind }
  worker = spawn(env, 'sidekiq', '-r', File.expand_path(__FILE__), '-c', '3', '-e', 'production')
  begin
    got = nil
    deadline = Time.now + 40
    sleep 0.1 until (got = Sidekiq.redis { |r| r.get('sum') }) == '20900' || Time.now > deadline
    raise "the jobs made #{got.inspect}" unless got == '20900'
    sleep 0.1 until Sidekiq::ProcessSet.new.size == 1 && Sidekiq::Stats.new.processed >= 203 || Time.now > deadline
    stats = Sidekiq::Stats.new
    raise "#{stats.processed} processed, #{stats.failed} failed" unless stats.processed == 203 && stats.failed == 1
    raise 'a queue is not empty' unless stats.enqueued == 0 && stats.scheduled_size == 0 && stats.retry_size == 0
  ensure
    Process.kill('TERM', worker)
    Process.wait(worker)
  end
  raise 'Sidekiq did not end well' unless $?.success?
end
