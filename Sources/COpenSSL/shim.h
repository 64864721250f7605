#pragma once
#include "tls.h"
