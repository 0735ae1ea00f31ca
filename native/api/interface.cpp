// The description of the C interface, written by the compiler from its header.
#include <type_traits>

#include "api/inksight.h"

namespace {

// The letters of types that inksight_interface documents. A type without one does not compile.
template <class T>
constexpr std::enable_if_t<std::is_pointer_v<T>, char> letter = 'p';
template <>
constexpr char letter<const char*> = 's';
template <>
constexpr char letter<void> = 'v';
template <>
constexpr char letter<int> = 'i';
template <>
constexpr char letter<long> = 'l';
template <>
constexpr char letter<double> = 'd';

template <class Function>
constexpr char text[] = "";
template <class Result, class... Parameters>
constexpr char text<Result(Parameters...)>[] = {letter<Result>, letter<Parameters>..., 0};

#define TYPE(name) {#name, name##_text}
#define FUNCTION(name) {#name, text<decltype(name)>}

constexpr inksight_declaration declarations[] = {
    TYPE(inksight_bank),
    TYPE(inksight_network),
    TYPE(inksight_stages),
    TYPE(inksight_recipe),
    TYPE(inksight_batches),
    TYPE(inksight_block),
    TYPE(inksight_constants),
    TYPE(inksight_problem),
    TYPE(inksight_found),
    FUNCTION(inksight_compiler),
    FUNCTION(inksight_isa),
    FUNCTION(inksight_use),
    FUNCTION(inksight_threads),
    FUNCTION(inksight_choose_threads),
    FUNCTION(inksight_peak),
    FUNCTION(inksight_predictor_new),
    FUNCTION(inksight_predictor_free),
    FUNCTION(inksight_predict),
    FUNCTION(inksight_trainer_new),
    FUNCTION(inksight_trainer_free),
    FUNCTION(inksight_trainer_steps),
    FUNCTION(inksight_trainer_gradient),
    FUNCTION(inksight_trainer_update),
    FUNCTION(inksight_trainer_read),
    FUNCTION(inksight_trainer_write),
    FUNCTION(inksight_apply),
    FUNCTION(inksight_preprocess),
    {nullptr, nullptr},
};

}  // namespace

const inksight_declaration* inksight_interface() { return declarations; }
