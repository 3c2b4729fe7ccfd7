#include <fmt/core.h>

#include <thread>

int main() {
    int count = 0;
    std::thread worker([&] { count = 42; });
    worker.join();
    fmt::print("counted {}\n", count);
}
