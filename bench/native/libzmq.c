/*
 * libzmq as a contender of the bench: libzmq <pattern> <end> <url> <size> <count>
 *
 * It speaks the lines of bench/harness/child.ts: a line of JSON when it is ready, and one for each
 * word on its input ("start", "mark"). It ends when its input does.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define TOPIC "bench"

static _Atomic unsigned long messages;
/* Every payload has these; one that has not ends the program. */
static size_t payload_bytes;
static _Atomic int started;

/* Round trips since the last mark, in microseconds. */
static pthread_mutex_t samples_lock = PTHREAD_MUTEX_INITIALIZER;
static double *samples;
static size_t sample_count;
static size_t sample_capacity;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(errno));
  exit(1);
}

static double now_micros(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void add_sample(double micros) {
  pthread_mutex_lock(&samples_lock);
  if (sample_count == sample_capacity) {
    sample_capacity = sample_capacity == 0 ? 65536 : sample_capacity * 2;
    samples = realloc(samples, sample_capacity * sizeof *samples);
    if (samples == NULL) fail("realloc");
  }
  samples[sample_count++] = micros;
  pthread_mutex_unlock(&samples_lock);
}

static int ascending(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return difference < 0 ? -1 : difference > 0;
}

static double quantile(double share) {
  size_t rank = (size_t)(share * sample_count);
  if ((double)rank < share * sample_count) rank += 1;
  return samples[rank == 0 ? 0 : rank - 1];
}

static void print_samples(void) {
  pthread_mutex_lock(&samples_lock);
  if (sample_count > 0) {
    qsort(samples, sample_count, sizeof *samples, ascending);
    printf(",\"p50Micros\":%.2f,\"p99Micros\":%.2f,\"p999Micros\":%.2f", quantile(0.5),
           quantile(0.99), quantile(0.999));
    sample_count = 0;
  }
  pthread_mutex_unlock(&samples_lock);
}

static void print_mark(void) {
  struct rusage usage;
  unsigned long counted = messages;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  printf("{\"atMs\":%.3f,\"messages\":%lu,\"bytes\":%lu,\"cpuMicros\":%.0f", now_micros() / 1e3,
         counted, counted * payload_bytes, cpu);
  print_samples();
  printf("}\n");
}

static void *listen_to_words(void *unused) {
  char word[64];
  (void)unused;
  while (fgets(word, sizeof word, stdin) != NULL) {
    if (strcmp(word, "mark\n") == 0) print_mark();
    else printf("{}\n");
    started = 1;
    fflush(stdout);
  }
  _exit(0);
}

static void say_ready(void *bound) {
  char url[512] = "";
  size_t length = sizeof url;
  pthread_t thread;
  if (bound != NULL && zmq_getsockopt(bound, ZMQ_LAST_ENDPOINT, url, &length) != 0) fail("bound");
  const char *address = strstr(url, "://");
  printf("{\"address\":\"%s\"}\n", address == NULL ? "" : address + 3);
  fflush(stdout);
  if (pthread_create(&thread, NULL, listen_to_words, NULL) != 0) fail("pthread_create");
}

/* Over half of the default of 1,000, a ROUTER would drop what is under way. */
static void raise_limits(void *socket, int count) {
  int limit = count * 4;
  if (count <= 256) return;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &limit, sizeof limit);
  zmq_setsockopt(socket, ZMQ_RCVHWM, &limit, sizeof limit);
}

static void *open_socket(void *context, int type, int count) {
  void *socket = zmq_socket(context, type);
  if (socket == NULL) fail("zmq_socket");
  raise_limits(socket, count);
  return socket;
}

static void count_message(size_t bytes) {
  if (bytes != payload_bytes) fail("a payload of another size");
  atomic_fetch_add_explicit(&messages, 1, memory_order_relaxed);
}

static void pull(void *context, const char *url) {
  void *socket = open_socket(context, ZMQ_PULL, 1);
  zmq_msg_t message;
  if (zmq_bind(socket, url) != 0) fail("bind");
  say_ready(socket);
  zmq_msg_init(&message);
  for (;;) {
    int size = zmq_msg_recv(&message, socket, 0);
    if (size < 0) fail("recv");
    count_message(size);
  }
}

static void push(void *context, const char *url, const char *payload, size_t size) {
  void *socket = open_socket(context, ZMQ_PUSH, 1);
  if (zmq_connect(socket, url) != 0) fail("connect");
  say_ready(NULL);
  for (;;) {
    if (zmq_send(socket, payload, size, 0) < 0) fail("send");
    count_message(size);
  }
}

static void publish(void *context, const char *url, const char *payload, size_t size) {
  void *socket = open_socket(context, ZMQ_PUB, 1);
  if (zmq_bind(socket, url) != 0) fail("bind");
  say_ready(socket);
  while (!started) usleep(1000);
  /* Nothing tells a PUB that its subscribers are there. */
  usleep(300000);
  for (;;) {
    if (zmq_send(socket, TOPIC, strlen(TOPIC), ZMQ_SNDMORE) < 0) fail("send");
    if (zmq_send(socket, payload, size, 0) < 0) fail("send");
    count_message(size);
  }
}

static void take_all(void *socket, zmq_msg_t *message) {
  for (;;) {
    if (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0) return;
    int size = zmq_msg_recv(message, socket, 0);
    if (size < 0) fail("recv");
    count_message(size);
  }
}

static void subscribe(void *context, const char *url, int count) {
  zmq_pollitem_t *items = calloc(count, sizeof *items);
  zmq_msg_t message;
  for (int i = 0; i < count; i++) {
    void *socket = open_socket(context, ZMQ_SUB, 1);
    if (zmq_connect(socket, url) != 0) fail("connect");
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, TOPIC, strlen(TOPIC));
    items[i].socket = socket;
    items[i].events = ZMQ_POLLIN;
  }
  say_ready(NULL);
  zmq_msg_init(&message);
  for (;;) {
    if (zmq_poll(items, count, -1) < 0) fail("poll");
    for (int i = 0; i < count; i++)
      if (items[i].revents & ZMQ_POLLIN) take_all(items[i].socket, &message);
  }
}

static void answer(void *context, const char *url, int count) {
  void *socket = open_socket(context, count == 1 ? ZMQ_REP : ZMQ_ROUTER, count);
  zmq_msg_t identity, message;
  if (zmq_bind(socket, url) != 0) fail("bind");
  say_ready(socket);
  zmq_msg_init(&identity);
  zmq_msg_init(&message);
  for (;;) {
    if (count > 1 && zmq_msg_recv(&identity, socket, 0) < 0) fail("recv");
    int size = zmq_msg_recv(&message, socket, 0);
    if (size < 0) fail("recv");
    count_message(size);
    if (count > 1 && zmq_msg_send(&identity, socket, ZMQ_SNDMORE) < 0) fail("send");
    if (zmq_msg_send(&message, socket, 0) < 0) fail("send");
  }
}

static void ask(void *context, const char *url, const char *payload, size_t size, int count) {
  void *socket = open_socket(context, count == 1 ? ZMQ_REQ : ZMQ_DEALER, count);
  zmq_msg_t message;
  if (zmq_connect(socket, url) != 0) fail("connect");
  say_ready(NULL);
  zmq_msg_init(&message);
  for (int i = 1; i < count; i++)
    if (zmq_send(socket, payload, size, 0) < 0) fail("send");
  for (;;) {
    double sent = count == 1 ? now_micros() : 0;
    if (zmq_send(socket, payload, size, 0) < 0) fail("send");
    if (zmq_msg_recv(&message, socket, 0) < 0) fail("recv");
    if (count == 1) add_sample(now_micros() - sent);
    count_message(zmq_msg_size(&message));
  }
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "libzmq <push-pull|pub-sub|req-rep> <receiver|sender> <url> <size> <count>\n");
    return 2;
  }
  const char *pattern = argv[1], *url = argv[3];
  int is_sender = strcmp(argv[2], "sender") == 0;
  size_t size = strtoul(argv[4], NULL, 10);
  int count = atoi(argv[5]);
  payload_bytes = size;
  char *payload = malloc(size + 1);
  void *context = zmq_ctx_new();
  memset(payload, 1, size + 1);
  if (strcmp(pattern, "push-pull") == 0) {
    if (is_sender) push(context, url, payload, size);
    else pull(context, url);
  } else if (strcmp(pattern, "pub-sub") == 0) {
    if (is_sender) publish(context, url, payload, size);
    else subscribe(context, url, count);
  } else {
    if (is_sender) ask(context, url, payload, size, count);
    else answer(context, url, count);
  }
}
