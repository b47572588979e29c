// Images on their way in and out of a registry: import and export.
#pragma once
